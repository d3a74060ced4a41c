"""What leaves the tool layer, in a form that may leave.

A value that belongs to a patient becomes a pseudonym, `<name:3f2a91>`: keyed, so that nobody can compute it
from a guess, and stable within a session, so that joins and repeats stay visible. Free text is searched for
secrets and for identifiers by shape. Every pattern runs in linear time: log lines can be long and hostile.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

_SHAPES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    # Secrets first: a DSN holds what looks like an e-mail address.
    (
        "private-key",
        re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?-----END [A-Z ]{0,30}KEY-----"),
    ),
    ("password", re.compile(r"(?<=://)[^\s:/@]{1,128}:[^\s/@]{1,256}(?=@)")),
    ("password", re.compile(r"(?i)(?<=password=)[^\s'\"&;]{1,256}")),
    ("jwt", re.compile(r"\beyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{5,1000}")),
    ("key", re.compile(r"\b(?:sk-ant|sk|pk|rk)[-_](?:live|test|api\d\d|proj)?[-_]?[A-Za-z0-9_-]{20,200}\b")),
    (
        "key",
        re.compile(
            r"\b(?:rnd|sbp|sb_secret|sb_publishable|ghp|gho|ghs|github_pat|xox[abp]|AKIA)[-_]?[A-Za-z0-9_-]{16,200}"
        ),
    ),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}\b")),
    ("ssn", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    ("phone", re.compile(r"(?<![\w.+-])\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}(?![\w-])")),
    ("phone", re.compile(r"(?<![\w.+-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])")),
    ("mrn", re.compile(r"\bMRN[-:# ]{0,3}[A-Z0-9-]{4,20}\b")),
)


class Redactor:
    """Turns values into pseudonyms and cleans text. One per session: the key is never stored.

    `strict=False` (`phi = "off"`, non-production targets only) lets patients' values pass; secrets never do.
    """

    _SECRETS: Final = frozenset({"private-key", "password", "jwt", "key"})

    def __init__(self, *, strict: bool = True, key: bytes | None = None) -> None:
        self.strict = strict
        self._key = key or secrets.token_bytes(32)

    def pseudonym(self, kind: str, value: object) -> str:
        """`<kind:hex>` for a value; the same value gives the same pseudonym within this session."""
        mark = hmac.new(self._key, f"{kind}\0{value}".encode(errors="replace"), "sha256").hexdigest()[:8]
        return f"<{kind}:{mark}>"

    def text(self, text: str) -> str:
        """The text with secrets, and in strict mode identifiers, replaced where their shape shows them."""
        for kind, pattern in _SHAPES:
            if self.strict or kind in self._SECRETS:
                text = pattern.sub(lambda found, kind=kind: self.pseudonym(kind, found.group()), text)
        return text

    def objection(self, text: str) -> str | None:
        """Why this text must not be kept: the kinds of value seen in it, never a value; None if clean."""
        kinds = [kind for kind, pattern in _SHAPES if pattern.search(text)]
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
