"""The domain set: enough of every kind, every expectation exists, and no question gives its answer away."""

from __future__ import annotations

from collections import Counter
from statistics import median

import pytest

from benchmarks.memory import domain
from memory import Entry
from memory.entry import CATEGORIES
from memory.similar import find_duplicate
from memory.tokens import STOP_WORDS, words
from tools.redaction import Redactor

NOTES = domain.notes()
QUESTIONS = domain.questions()
BY_ID = {entry.id: entry for entry in NOTES}


def test_there_are_enough_notes_of_every_category_over_two_years() -> None:
    assert len(BY_ID) == len(NOTES) >= 300
    counts = Counter(entry.category for entry in NOTES)
    assert min(counts[category] for category in CATEGORIES if category != "handoffs") >= 50
    days = [entry.outcomes[0].when for entry in NOTES]
    assert (max(days) - min(days)).days > 650
    assert sum(entry.outcomes[0].result == "failed" for entry in NOTES) >= 20


def test_notes_are_told_in_words_of_their_own() -> None:
    for entry in NOTES:
        assert find_duplicate(entry, [other for other in NOTES if other is not entry]) is None
    openings = Counter(tuple(words(entry.title)[:3]) for entry in NOTES)
    assert openings.most_common(1)[0][1] <= 5
    for entry in NOTES:
        assert len(entry.action) >= 20, entry.title
        assert len(entry.result) >= 5, entry.title


def test_a_superseded_note_has_one_successor_which_is_younger() -> None:
    successors = Counter(old for entry in NOTES for old in entry.supersedes)
    superseded = {entry.id for entry in NOTES if entry.status == "superseded"}
    assert successors.keys() == superseded
    assert set(successors.values()) == {1}
    assert len(superseded) >= 20
    for entry in NOTES:
        for old in entry.supersedes:
            assert BY_ID[old].outcomes[0].when < entry.outcomes[0].when


def test_nothing_in_the_notes_would_be_refused() -> None:
    objection = Redactor(strict=True).objection
    complaints = {
        entry.title: found
        for entry in NOTES
        if (
            found := objection("\n".join((entry.title, entry.context, entry.action, entry.result, entry.why)))
        )
    }
    assert not complaints


def test_there_are_enough_questions_of_every_kind() -> None:
    assert len({question.question for question in QUESTIONS}) == len(QUESTIONS) >= 150
    counts = Counter(question.kind for question in QUESTIONS)
    assert counts.keys() == set(domain.KINDS)
    assert min(counts.values()) >= 20


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.question[:60])
def test_what_a_question_expects_exists_and_still_holds(question: domain.Question) -> None:
    assert bool(question.expects) == (question.kind != "nothing")
    for entry_id in question.expects:
        assert BY_ID[entry_id].status == "active"
    if question.kind == "superseded":
        assert all(BY_ID[entry_id].supersedes for entry_id in question.expects)
    if question.applies_to:
        assert any(_applies(BY_ID[entry_id], question) for entry_id in question.expects)


def test_every_superseded_answer_is_asked_for() -> None:
    asked = {
        entry_id for question in QUESTIONS if question.kind == "superseded" for entry_id in question.expects
    }
    assert asked == {entry.id for entry in NOTES if entry.supersedes}


def test_no_question_copies_a_title() -> None:
    overlaps: dict[str, list[float]] = {}
    for question in QUESTIONS:
        asked = set(words(question.question)) - STOP_WORDS
        for entry in NOTES:
            told = set(words(entry.title)) - STOP_WORDS
            overlap = len(asked & told) / len(asked | told)
            assert overlap < 0.75, (question.question, entry.title)
            if entry.id in question.expects:
                overlaps.setdefault(question.kind, []).append(overlap)
    assert median(overlaps["paraphrase"]) < 0.15
    assert median(overlaps["superseded"]) < 0.35


def test_ids_are_the_same_in_every_run_and_known_by_key() -> None:
    assert [entry.id for entry in domain.notes()] == [entry.id for entry in NOTES]
    assert domain.keys().keys() == BY_ID.keys()


def _applies(entry: Entry, question: domain.Question) -> bool:
    return any(
        set(names) & set(entry.applies_to.get(scope, ())) for scope, names in question.applies_to.items()
    )
