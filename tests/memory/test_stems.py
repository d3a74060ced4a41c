from __future__ import annotations

from memory.stems import stems
from memory.synonyms import synonyms


def test_stems_are_those_of_the_index() -> None:
    assert stems(["policies", "Migrations", "patient_events", "137", "é"]) == {
        "policies": "polici",
        "Migrations": "migrat",
        "patient_events": "patient_ev",
        "137": "137",
        "é": "e",
    }
    assert stems([]) == {}


def test_a_synonym_is_of_the_same_meaning_and_not_already_said() -> None:
    found = synonyms(["release", "oom"])
    assert "deploy" in found["release"]
    assert not {"release", "released"} & set(found["release"])
    assert "heap" in found["oom"]
    assert "deploy" not in synonyms(["release", "deploying"])["release"]
    assert synonyms(["zebra"]) == {}
