"""A saved snapshot comes back as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.tools.rls.reading import Connection, snapshot_of
from tools.errors import InvalidInput
from tools.rls.rules import RULES
from tools.rls.saving import dump, encoded, load

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_snapshot_comes_back_exactly(family: Connection):
    family.execute("alter default privileges in schema app grant execute on functions to authenticated")
    family.execute("grant select (name) on public.profiles to anon")
    before = snapshot_of(family)
    saved = load(dump(before, "here", NOW))
    assert (saved.target, saved.taken) == ("here", "2030-01-02T03:04:05+00:00")
    assert encoded(saved.snapshot) == encoded(before)
    assert saved.snapshot.relations["public.profiles"].columns["name"].acl == {"anon": frozenset({"SELECT"})}
    assert any(one.schema == "app" and one.kind == "f" for one in saved.snapshot.default_privileges)
    assert dump(saved.snapshot, "here", NOW) == dump(before, "here", NOW)


def test_the_rules_say_the_same_of_a_snapshot_that_was_saved(family: Connection):
    family.execute("alter table public.notes disable row level security")
    before = snapshot_of(family)
    after = load(dump(before, "here", NOW)).snapshot

    def said(snapshot: object) -> list[str]:
        return sorted(found.cache_key for rule in RULES for found in rule.check(snapshot))  # pyright: ignore[reportArgumentType]  either one

    assert said(after) == said(before)
    assert said(after)


def test_no_row_is_in_the_file(family: Connection):
    family.execute("insert into public.codes values ('secret-row', 'hidden-title')")
    family.execute("analyze public.codes")
    text = dump(snapshot_of(family), "here", NOW)
    assert "secret-row" not in text and "hidden-title" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "is not JSON"),
        ("[1]", "no saved snapshot"),
        ('{"format": "sergei-rls-snapshot", "version": 99}', "version 99"),
        (
            '{"format": "sergei-rls-snapshot", "version": 1, "target": "", "taken": "", "snapshot": {}}',
            "damaged",
        ),
    ],
)
def test_what_is_no_snapshot_is_refused_in_a_sentence(text: str, words: str):
    with pytest.raises(InvalidInput, match=words):
        load(text, "old.json")


def test_a_field_that_is_missing_takes_its_default_or_is_refused(family: Connection):
    document = json.loads(dump(snapshot_of(family), "here", NOW))
    del document["snapshot"]["default_privileges"]
    assert load(json.dumps(document)).snapshot.default_privileges == ()
    del document["snapshot"]["relations"]
    with pytest.raises(InvalidInput, match="damaged"):
        load(json.dumps(document))
