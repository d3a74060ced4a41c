"""What leaves the tool layer, in a form that may leave.

A value that belongs to a patient becomes a pseudonym, `<name:3f2a91>`: keyed, so that nobody can compute it
from a guess, and stable within a session, so that joins and repeats stay visible. Free text is searched for
secrets and for identifiers by shape. Every pattern runs in linear time: log lines can be long and hostile.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from tools.redaction_prose import PROSE, innocent
from tools.redaction_shapes import NUMERIC, PERSONAL, SECRETS, Shape

_PSEUDONYM: Final = re.compile(r"<[a-z-]{2,20}:[0-9a-f]{8}>")
_DIGIT: Final = re.compile(r"\d")
_SHORT: Final = 60
_PLAIN: Final = re.compile(
    r"[^\W\d_]{1,19}(?: [^\W\d_]{1,19}){0,5}|[a-z_-]{1,19}"
    r"|[a-z_]{0,14}[-_.]?\d{1,5}|[A-Z]{1,2}[-.]?\d{1,6}(?:\.\d{1,4})?"
)
_TITLE: Final = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|Mme|Mlle|Herrn?|Frau|Monsieur|Madame|Señora?|Signora?) ")
_NEVER: Final = frozenset({"private-key", "password", "jwt", "key", "secret"})
"""Kinds that nobody can turn back."""
_LONGEST: Final = 400
_REMEMBERED: Final = 20_000
"""Pseudonyms that can be turned back, at most; the oldest are forgotten first."""


class Redactor:
    """Turns values into pseudonyms and cleans text. One per session: the key is never stored.

    `strict=False` (`phi = "off"`, non-production targets only) lets patients' values pass; secrets never do.
    """

    def __init__(self, *, strict: bool = True, key: bytes | None = None, remember: bool = False) -> None:
        """`remember`: `reveal` turns pseudonyms back. Only a person's own terminal asks for it."""
        self.strict = strict
        self._key = key or secrets.token_bytes(32)
        self._shapes = (*SECRETS, *PERSONAL) if strict else SECRETS
        self._known: OrderedDict[str, str] | None = OrderedDict() if remember else None

    def __repr__(self) -> str:
        return f"Redactor(strict={self.strict})"

    def pseudonym(self, kind: str, value: str | bytes, *, scope: str = "") -> str:
        """`<kind:hex>`; the same value of the same kind and scope has the same one within this session."""
        octets = value if isinstance(value, bytes) else value.encode(errors="replace")
        mark = hmac.digest(self._key, f"{kind}\0{scope}\0".encode() + octets, "sha256").hex()[:8]
        pseudonym = f"<{kind}:{mark}>"
        if self._known is not None and kind not in _NEVER:
            self._remember(pseudonym, octets)
        return pseudonym

    def reveal(self, pseudonym: str) -> str | None:
        """The value behind a pseudonym of this session; None when it is not known or never told (secrets)."""
        return self._known.get(pseudonym) if self._known is not None else None

    def _remember(self, pseudonym: str, octets: bytes) -> None:
        known = self._known
        if known is None or pseudonym in known:
            return
        if len(known) >= _REMEMBERED:
            known.popitem(last=False)
        known[pseudonym] = octets[:_LONGEST].decode("utf-8", errors="replace")

    def text(self, text: str) -> str:
        """The text with secrets, and in strict mode identifiers, replaced where their shape shows them."""
        if plain(text):
            return text
        lowered, numbered = text.lower(), _DIGIT.search(text) is not None
        for shape in self._shapes:
            if not numbered and shape.kind in NUMERIC:
                continue
            if shape.needles and not any(needle in lowered for needle in shape.needles):
                continue
            text = self._hide(shape, text)
        return text

    def _hide(self, shape: Shape, text: str) -> str:
        group = shape.group()

        def hide(found: re.Match[str]) -> str:
            value = found[group] or found[0]
            ours = _PSEUDONYM.match(found.string, max(found.start() - 1, 0)) or _PSEUDONYM.fullmatch(value)
            if ours or (shape.check is not None and not shape.check(value)):
                return found[0]
            return found[0].replace(value, self.pseudonym(shape.kind, value, scope="text"))

        return shape.pattern.sub(hide, text)

    def objection(self, text: str) -> str | None:
        """Why this text must not be kept: the kinds of value seen in it, never a value; None if clean."""
        lowered = text.lower()
        kinds = [
            shape.kind
            for shape in (*SECRETS, *PERSONAL, *PROSE)
            if (not shape.needles or any(needle in lowered for needle in shape.needles))
            and _seen(shape, text)
        ]
        if not kinds:
            return None
        seen = " and a ".join(dict.fromkeys(kinds))
        return f"It holds what looks like a {seen}: describe it without the value."

    def walk(self, value: Any) -> Any:
        """Every string inside dicts, lists and tuples cleaned; keys and other values as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            items: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]  JSON-like input
            return {key: self.walk(item) for key, item in items.items()}
        if isinstance(value, list | tuple):
            return [self.walk(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  same
        return value


def plain(text: str) -> bool:
    """Whether a short text is words or a code, so that no shape can be in it: what most cells are."""
    return (
        len(text) <= _SHORT
        and _PLAIN.fullmatch(text) is not None
        and (" " not in text or _TITLE.search(text) is None)
    )


def _seen(shape: Shape, text: str) -> bool:
    group, check = shape.group(), shape.check
    for found in shape.pattern.finditer(text):
        value = found[group] or found[0]
        if (check is None or check(value)) and not innocent(shape.kind, value):
            return True
    return False
