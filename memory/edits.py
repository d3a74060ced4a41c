"""Changes to an existing file's text: each touches the keys it means to touch and no other byte.

Every function takes the file's text and returns the new one, so that a change can be applied again to what a
person saved in the meantime. Each checks that the result reads as exactly the change that was meant.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from memory import frontmatter
from memory.entry import Entry, Outcome, outcome_fields, parse_entry
from memory.errors import InvalidEntry
from memory.yaml_subset import quote, quote_list


def with_outcome(text: str, outcome: Outcome) -> str:
    """`text` with one more outcome at the end of its list."""
    before = parse_entry(text)
    document = frontmatter.with_item(frontmatter.split(text), "outcomes", outcome_fields(outcome))
    return _checked(document.text(), replace(before, outcomes=(*before.outcomes, outcome)))


def as_superseded(text: str) -> str:
    """`text` with the status superseded."""
    before = parse_entry(text)
    document = frontmatter.with_scalar(frontmatter.split(text), "status", "superseded")
    return _checked(document.text(), replace(before, status="superseded"))


def as_retired(text: str, reason: str) -> str:
    """`text` with the status retired and the reason for it."""
    before = parse_entry(text)
    document = frontmatter.with_scalar(frontmatter.split(text), "status", "retired")
    document = frontmatter.with_scalar(document, "retired_because", quote(reason))
    return _checked(document.text(), replace(before, status="retired", retired_because=reason))


def as_confirmed(text: str, day: date, valid_until: date | None) -> str:
    """`text` with the day on which somebody said that it still holds, and with its `valid_until`."""
    before = parse_entry(text)
    document = frontmatter.with_scalar(frontmatter.split(text), "confirmed", day.isoformat())
    if valid_until != before.valid_until:
        until = valid_until.isoformat() if valid_until else "null"
        document = frontmatter.with_scalar(document, "valid_until", until)
    return _checked(document.text(), replace(before, confirmed=day, valid_until=valid_until))


def with_supersedes(text: str, old_id: str) -> str:
    """`text` with `old_id` among the entries it supersedes."""
    before = parse_entry(text)
    if old_id in before.supersedes:
        return text
    olds = (*before.supersedes, old_id)
    document = frontmatter.with_scalar(frontmatter.split(text), "supersedes", quote_list(olds))
    return _checked(document.text(), replace(before, supersedes=olds))


def _checked(text: str, expected: Entry) -> str:
    if parse_entry(text) != expected:
        raise InvalidEntry(
            f"The front matter of '{expected.title}' is written in a way that cannot be changed safely; "
            "edit it by hand."
        )
    return text
