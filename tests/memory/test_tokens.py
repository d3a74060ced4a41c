from __future__ import annotations

import pytest

from memory.tokens import identifiers, query_terms, words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("patient_clinical_events", ["patient_clinical_events"]),
        ("public.patients", ["public_patients"]),
        ("42P17", ["42p17"]),
        ("srv-abc", ["srv_abc"]),
        ("patientEvents", ["patient_events", "patientevents"]),
        ("45 CFR 164.312", ["164_312"]),
        ("a plain sentence. Another one", []),
    ],
)
def test_identifiers_are_kept_whole(text: str, whole: list[str]) -> None:
    assert identifiers(text) == whole


def test_identifiers_are_taken_apart_too() -> None:
    assert words("patientClinical_events HTTPServer RLS") == [
        "patient",
        "clinical",
        "events",
        "http",
        "server",
        "rls",
    ]


def test_a_query_keeps_what_carries_meaning() -> None:
    assert query_terms("Sergei, why is the patientEvents table so slow?") == [
        "patient_events",
        "patientevents",
        "patient",
        "events",
        "table",
        "slow",
    ]
    assert query_terms("what is it") == []
    assert len(query_terms(" ".join(f"word{n}" for n in range(500)))) == 160
    assert query_terms("slow slow slow slow table") == ["slow", "slow", "slow", "table"]
