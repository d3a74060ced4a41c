"""Writing entries by hand: the editor, its mistakes, other people's edits, and that no text is ever lost."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date

import pytest

from agent.commands import memory_template as template
from memory import CATEGORIES, Draft, starter_bank
from memory.errors import InvalidEntry
from memory.ulid import tail
from tests.agent.memory_person import Person

LESSON = Draft(
    title='Timeline: "index" on care_notes # first',
    category="database-optimizations",
    action="CREATE INDEX CONCURRENTLY ...\n\n```sql\n-- <!-- kept -->\n```",
    result="p95 fell from 820 ms to 14 ms.",
    outcome="partly",
    context="The timeline was slow.",
    why="It sorted 40,000 rows.",
    tags=("timeline", "a: b"),
    applies_to={"service": ("postgres",), "table": ("care_notes", "x:y"), "versions": ("17",)},
    confidence="high",
    valid_until=date(2031, 5, 1),
    ref="ticket OPS-12",
)


def test_what_is_written_into_the_template_is_what_is_read():
    assert template.read(template.written(LESSON)) == LESSON
    hinted = template.written(LESSON)
    assert all(category in hinted for category in CATEGORIES)


def test_hints_are_no_text_and_an_entrys_file_is_a_template_too(person: Person):
    begun = replace(template.EMPTY, title="Begun")
    assert template.read(template.written(begun)).action == ""
    entry = person.remembers("Raise work_mem for the report", outcome="failed")
    _, text = person.bank.source(entry.id)
    found = template.read(text)
    assert (found.title, found.action, found.outcome) == (entry.title, entry.action, "failed")
    old = template.written(begun, entry)
    assert f"Until now: {entry.action}" in old and template.read(old).action == ""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("outcome: partly", "outcome: great", "worked, failed, partly"),
        ("outcome: partly", "", "Say what came of it"),
        ("## Context", "Hello.\n\n## Context", "above the headings"),
        ("category: database-optimizations", "category: databases", "category"),
        ("---\n\n## Context", "\n## Context", "never closed"),
    ],
)
def test_a_template_that_cannot_be_read_says_what_does_not_fit(old: str, new: str, says: str):
    text = template.written(LESSON)
    assert old in text
    with pytest.raises(InvalidEntry, match=says):
        template.read(text.replace(old, new))


def test_an_entry_is_added_from_flags_a_file_and_the_editor(person: Person):
    flags = [
        "--category",
        "problem-solutions",
        "--action",
        "Upgraded the library.",
        "--result",
        "Memory is flat.",
    ]
    assert (
        person.memory(
            "add", "--title", "Fix the leak in the library", *flags, "--tag", "leak", "--table", "t"
        )
        == 0
    )
    assert person.says.startswith("Saved as a new entry in problem-solutions.")
    file = person.workspace / "lesson.md"
    file.write_text(template.written(LESSON))
    assert person.memory("add", "--from", "lesson.md") == 0
    person.edits_with(
        """sed -i 's/^title:.*/title: "Kill the idle sessions"/' "$1"
        sed -i 's/^  service:.*/  service: [postgres]/' "$1"
        sed -i 's/^<!-- What was done.*/Terminated them./; s/^<!-- What came of.*/Locks were gone./' "$1" """
    )
    assert person.memory("add") == 0
    found = {entry.title: entry for entry in person.bank.entries()}
    assert set(found) == {"Fix the leak in the library", LESSON.title, "Kill the idle sessions"}
    assert found["Fix the leak in the library"].applies_to == {"table": ("t",)}
    assert found["Kill the idle sessions"].applies_to == {"service": ("postgres",)}
    assert found["Kill the idle sessions"].action == "Terminated them."
    assert all(entry.source.kind == "person" for entry in found.values())
    assert person.drafts() == []


def test_the_same_lesson_again_is_shown_and_becomes_an_outcome(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    flags = ["--title", entry.title, "--category", entry.category, "--action", entry.action]
    assert person.memory("add", *flags, "--result", "Out of memory at night.", "--outcome", "failed") == 0
    assert "already has" in person.complains and "CONTRADICTS" in person.complains
    assert "Already known" in person.says and "1 worked, 1 failed" in person.says
    assert len(person.bank.entries()) == 1


def test_junk_is_refused_with_the_reason(person: Person):
    flags = ["--title", "A title", "--category", "handoffs", "--result", "It went well."]
    assert person.memory("add", *flags, "--action", "tbd") == 2
    assert "no action" in person.complains and person.bank.entries() == ()


def test_a_replacement_starts_from_the_old_entry(person: Person):
    old = person.remembers("Restart the worker", applies_to={"service": "worker"}, days_ago=3)
    assert person.memory("supersede", tail(old.id), "--title", "Fix the worker's leak") == 2
    words = ["--action", "Upgraded the library.", "--result", "Memory is flat."]
    assert person.memory("supersede", tail(old.id), "--title", "Fix the worker's leak", *words) == 0
    new = next(entry for entry in person.bank.entries() if entry.id != old.id)
    assert (new.supersedes, new.category, new.applies_to) == ((old.id,), old.category, old.applies_to)
    assert person.bank.get(old.id).status == "superseded"
    assert person.memory("supersede", tail(old.id), "--title", "Again", *words) == 3
    assert "already superseded" in person.complains


def test_an_edit_keeps_every_other_byte(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    path, text = person.bank.source(entry.id)
    path.write_bytes(
        text.replace("confidence", "# by hand\nx-owner:   platform\nconfidence")
        .replace("\n", "\r\n")
        .encode()
    )
    before = path.read_bytes()
    person.edits_with("""sed -i 's/14 ms/15 ms/' "$1" """)
    assert person.memory("edit", tail(entry.id)) == 0
    assert person.says == f"Saved: {tail(entry.id)}  {entry.title}\n"
    assert path.read_bytes() == before.replace(b"14 ms", b"15 ms")
    assert person.drafts() == []
    assert next(one["how"] for one in person.read("log", tail(entry.id))) == "edited"


def test_an_unchanged_text_changes_nothing(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    person.edits_with("true")
    assert person.memory("edit", entry.id) == 0
    assert person.says == "" and "Nothing was changed" in person.complains and person.drafts() == []
    assert person.memory("add") == 0
    assert "Nothing was changed" in person.complains and person.drafts() == []


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ("s/^confidence.*/confidence: quite/", 2, "confidence"),
        ("s/^id:.*/id: 01M808TX00693XAWKJNQXB21C8/", 2, "id must stay"),
        ("s/^## Action.*//", 2, "Action"),
        ("s/It took.*/SSN 078-05-1120 was slow./", 4, "describe it without the value"),
    ],
)
def test_a_text_that_cannot_be_saved_is_kept_and_can_be_taken_up(
    person: Person, change: str, code: int, says: str
):
    entry = person.remembers("Raise work_mem for the report")
    before = person.bank.source(entry.id)
    person.edits_with(f"""sed -i '{change}' "$1"; echo '<!-- a long evening -->' >> "$1" """)
    assert person.memory("edit", entry.id) == code
    assert says in person.complains and person.bank.source(entry.id) == before
    (kept,) = person.drafts()
    assert str(kept) in person.complains and "a long evening" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text(before[1].replace("14 ms", "16 ms"))
    assert person.memory("edit", entry.id, "--from", str(kept)) == 0
    assert "16 ms" in person.bank.get(entry.id).result and person.drafts() == []


def test_what_somebody_else_saved_meanwhile_is_merged_or_kept_beside(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    path, _ = person.bank.source(entry.id)
    theirs = f"""sed -i 's/^confidence.*/confidence: low/' '{path}'"""
    person.edits_with(f"""{theirs}; sed -i 's/14 ms/15 ms/' "$1" """)
    assert person.memory("edit", entry.id) == 0
    merged = person.bank.get(entry.id)
    assert merged.confidence == "low" and "15 ms" in merged.result
    theirs = f"""sed -i 's/15 ms/99 ms/' '{path}'"""
    person.edits_with(f"""{theirs}; sed -i 's/15 ms/16 ms/' "$1" """)
    assert person.memory("edit", entry.id) == 3
    assert "99 ms" in person.bank.get(entry.id).result
    kept = [file.read_text() for file in (*person.drafts(), *path.parent.iterdir()) if file != path]
    assert any("16 ms" in text for text in kept)


def test_an_editor_that_fails_or_is_missing_is_one_sentence(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    person.patch.setenv("EDITOR", "no-such-editor --wait")
    assert person.memory("edit", entry.id) == 2
    assert "cannot be started" in person.complains and person.drafts() == []
    person.patch.setenv("EDITOR", "'open")
    assert person.memory("edit", entry.id) == 2
    assert "a quote is open" in person.complains
    person.edits_with("exit 3")
    assert person.memory("edit", entry.id) == 3
    assert "ended with 3" in person.complains
    person.edits_with("""echo more >> "$1"; exit 1""")
    assert person.memory("edit", entry.id) == 3
    (kept,) = person.drafts()
    assert "more" in kept.read_text() and str(kept) in person.complains


def test_an_entry_that_ships_is_edited_on_a_copy(person: Person):
    entry = starter_bank().entries()[0]
    person.edits_with("""sed -i 's/^confidence.*/confidence: low/' "$1" """)
    assert person.memory("edit", tail(entry.id)) == 0
    assert "copy in your own bank" in person.complains
    assert person.bank.get(entry.id).confidence == "low"
    assert starter_bank().get(entry.id) == entry


def test_an_entry_moves_with_its_category(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    person.edits_with("""sed -i 's/^category.*/category: problem-solutions/' "$1" """)
    assert person.memory("edit", entry.id) == 0
    assert person.bank.source(entry.id)[0].parent.name == "problem-solutions"
    assert person.memory("lint") == 0
