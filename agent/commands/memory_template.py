"""A draft as a text that a person fills in, and back. It looks like the file that it becomes."""

from __future__ import annotations

import re
from typing import Final

from memory import CATEGORIES, CONFIDENCES, RESULTS, Draft, Entry, frontmatter, parse_entry
from memory.entry import SECTIONS, Outcome, Result
from memory.errors import InvalidEntry
from memory.yaml_subset import quote, quote_key, quote_list

EMPTY: Final = Draft(title="", category="problem-solutions", action="", result="")

_HINTS: Final = {
    "context": "The situation: what was seen, and where. No patient's value, no secret.",
    "action": "What was done, exactly enough to do it again: SQL, settings, steps.",
    "result": "What came of it, with a figure or an observation.",
    "why": "Why it worked or failed. May stay empty.",
}
_HINT: Final = re.compile(r"^<!-- .*? -->\n?", re.DOTALL | re.MULTILINE)
_ID: Final = "00000000000000000000000000"
_OWN_KEYS: Final = ("outcome", "ref")
_SCOPES: Final = ("service", "table")


def written(draft: Draft, before: Entry | None = None) -> str:
    """The text to fill in, with what is known already; what the entry `before` said stands in comments."""
    scopes = dict.fromkeys(_SCOPES, ()) | dict(draft.applies_to)
    lines = [
        "---",
        f"title: {quote(draft.title) if draft.title else ''}",
        f"category: {draft.category}  # {', '.join(CATEGORIES)}",
        f"outcome: {draft.outcome}  # {', '.join(RESULTS)}",
        f"ref: {quote(draft.ref) if draft.ref else ''}  # where to look: a deploy, a ticket, a pull request",
        f"confidence: {draft.confidence}  # {', '.join(CONFIDENCES)}",
        f"tags: {quote_list(draft.tags)}",
        "applies_to:",
    ]
    for scope, given in scopes.items():
        lines.append(f"  {quote_key(scope)}: {quote_list([given] if isinstance(given, str) else given)}")
    until = draft.valid_until.isoformat() if draft.valid_until else ""
    lines += [f"valid_until: {until}  # a day such as 2030-12-31, or nothing", "---", ""]
    for name in SECTIONS:
        lines += [f"## {name.capitalize()}", "", f"<!-- {_HINTS[name]} -->"]
        if before and (said := getattr(before, name)) and not getattr(draft, name):
            lines.append(f"<!-- Until now: {said.replace('-->', '-- >')} -->")
        lines += [getattr(draft, name), ""]
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def read(text: str) -> Draft:
    """The draft in a filled-in text, or in an entry's file. InvalidEntry says which line does not fit."""
    document = frontmatter.split(_HINT.sub("", text))
    own = frontmatter.values(document, _OWN_KEYS)
    document = frontmatter.with_scalar(document, "id", f'"{_ID}"')
    entry = parse_entry(document.text())
    if entry.preamble:
        raise InvalidEntry("There is text above the headings; move it under Context, Action, Result or Why.")
    last = entry.outcomes[-1] if entry.outcomes else None
    return Draft(
        title=entry.title,
        category=entry.category,
        action=entry.action,
        result=entry.result,
        outcome=_outcome(own.get("outcome"), last),
        context=entry.context,
        why=entry.why,
        tags=entry.tags,
        applies_to=entry.applies_to,
        confidence=entry.confidence,
        valid_until=entry.valid_until,
        ref=str(own.get("ref") or (last.ref if last else "")),
    )


def _outcome(word: object, last: Outcome | None) -> Result:
    if word is None:
        if last is None:
            raise InvalidEntry("Say what came of it: `outcome: worked`, failed or partly.")
        return last.result
    for known in RESULTS:
        if word == known:
            return known
    raise InvalidEntry(f"The outcome must be one of {', '.join(RESULTS)}; found '{word}'.")
