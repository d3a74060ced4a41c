"""Whatever a person's file looks like, a change touches its own keys and no other byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from memory import Outcome, edits, parse_entry

ID = "01M808TX00693XAWKJNQXB21C8"
OTHER = "01M808TX00693XAWKJNQXB21C9"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
OURS = ("status", "retired_because", "supersedes", "outcomes", "confirmed", "valid_until")

Change = Callable[[str], str]
CHANGES: dict[str, Change] = {
    "outcome": lambda text: edits.with_outcome(text, Outcome(NOW, "a: b # c", "failed", 'said "no"\n')),
    "superseded": edits.as_superseded,
    "retired": lambda text: edits.as_retired(text, "no: longer # true"),
    "supersedes": lambda text: edits.with_supersedes(text, OTHER),
    "confirmed": lambda text: edits.as_confirmed(text, date(2026, 1, 2), date(2027, 1, 2)),
}

# Each is what a person may write for one key, over one or more lines.
IDS = [f"id: {ID}", f"id:   '{ID}'  # ours"]
TITLES = ["title: a title", 'title: "It: \\"is\\""', "title: folded\n  on"]
FOREIGN = st.sampled_from(
    [
        "x-team: platform", "Owner:   'Tessa'   # asked", "links:\n  - x:\n      a: [1, 2]\n  # deep",
        '"odd key": {a: b}', "note: |\n  status: not this\n\n  - nor this", "empty:", "élan: é",
        "anchor: &a [1]", "3rd: x", "due day: May",
    ]
)  # fmt: skip
KNOWN = st.sampled_from(
    [
        "status: active", "status:    active\t# checked", "tags: [a, 'b # c',\n  \"d\"]",
        "applies_to: {service: [x]}", "outcomes: []", "valid_until: 2026-05-01 # soon", "supersedes: []",
        "outcomes:\n- {when: 2026-01-02, result: worked}  # first", "confidence: 'high'",
        "outcomes:\n    -   when: 2026-01-02\n        result: worked\n        extra: kept",
        "source:\n  kind: tool\n  ref: x\n  seen: twice",
    ]
)  # fmt: skip
NOISE = st.sampled_from(["", "# a comment", "#status: retired", "   "])
BODY = st.sampled_from(
    ["", "\n# Ours\n\n## Action\nDid it.\n---\nstatus: no\n", "text without an end", "\n\n\n"]
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file's text: our keys and others in any order and spelling, with or without BOM and CRLF."""
    keys = [draw(st.sampled_from(IDS)), draw(st.sampled_from(TITLES)), "category: handoffs"]
    found = {part.partition(":")[0]: part for part in draw(st.lists(st.one_of(FOREIGN, KNOWN), max_size=6))}
    lines = draw(st.permutations([*keys, *found.values()]))
    mixed = [one for line in lines for one in (*draw(st.lists(NOISE, max_size=2)), line)]
    text = "\n".join(["---", *mixed, *draw(st.lists(NOISE, max_size=1)), "---", draw(BODY)])
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def foreign(text: str) -> list[str]:
    """Every line, with its end, that does not belong to one of our changing keys."""
    kept: list[str] = []
    fences, ours = 0, False
    for line in text.splitlines(keepends=True):
        fences += line.strip("\ufeff\r\n") == "---" and fences < 2
        key = line.split(":")[0]
        if fences == 1 and line[:1] not in " -\t\r\n#" and line.strip():
            ours = key in OURS
        if fences > 1 or not ours or not line.strip() or line.startswith("#"):
            kept.append(line)
    return kept


@given(files(), st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=4, unique=True))
def test_a_change_touches_its_own_keys_and_no_other_byte(text: str, names: list[str]) -> None:
    before = parse_entry(text)
    changed = text
    for name in names:
        changed = CHANGES[name](changed)
    assert foreign(changed) == foreign(text)
    after = parse_entry(changed)
    assert (after.title, after.tags, after.source, after.action) == (
        before.title, before.tags, before.source, before.action,
    )  # fmt: skip
    assert after.outcomes[: len(before.outcomes)] == before.outcomes
    lone_feeds = changed.replace("\r\n", "").count("\n")
    assert lone_feeds == 0 or "\r\n" not in text
