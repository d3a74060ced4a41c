"""What a piece of code reaches, from its tokens alone: function bodies, defaults, CHECKs, policies.

PL/pgSQL is not SQL and no parser outside the server reads all of it, but both share one scanner. So every
word before a parenthesis counts as a call, every word as a relation and a type, every operator as used. A
name too many does no harm: what does not exist drops out in the catalog, and what exists is judged by what
it does.
"""

from __future__ import annotations

from typing import Final

from postgast import PgQueryError, scan

from tools.database.reach import Name, Reach

_WRITING: Final = {
    "insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "merge": "MERGE", "truncate": "TRUNCATE",
    "create": "CREATE", "drop": "DROP", "alter": "ALTER", "grant": "GRANT", "revoke": "REVOKE",
    "copy": "COPY", "lock": "LOCK", "notify": "NOTIFY", "listen": "LISTEN", "unlisten": "UNLISTEN",
    "refresh": "REFRESH", "vacuum": "VACUUM", "cluster": "CLUSTER", "reindex": "REINDEX", "call": "CALL",
    "discard": "DISCARD", "load": "LOAD", "prepare": "PREPARE", "import": "IMPORT", "reassign": "REASSIGN",
    "checkpoint": "CHECKPOINT", "security": "SECURITY LABEL",
}  # fmt: skip
_OPENS: Final = frozenset({";", "begin", "atomic", "then", "else", "loop", ">>"})
"""After which a statement of PL/pgSQL begins; so it does with the first token."""
_WITHIN: Final = frozenset({"(", ")", "for", "key", "in", "query", "explain", "analyze", "verbose"})
"""After which a part of a statement may write: a CTE, what follows one, FOR UPDATE, FOR row IN UPDATE..."""
_SETS: Final = frozenset({"set", "reset", "do", "commit", "rollback", "abort", "savepoint", "release"})
_UNSPOKEN: Final[dict[str, tuple[str, ...]]] = {
    "like": ("~~", "!~~"),
    "ilike": ("~~*", "!~~*"),
    "similar": ("~", "!~"),
    "!=": ("<>",),
}
"""Operators that stand behind words."""
_IMPLIED: Final = ("=", "<", ">", "<=", ">=", "<>")
"""IN, BETWEEN, ORDER BY, DISTINCT, CASE... compare without naming an operator."""
_SYMBOLS: Final = frozenset("+-*/<>=~!@#%^&|`?")


def read_code(text: str) -> Reach:
    """The reach of `text`. `forbidden` says which statements it holds that do more than read.

    `opaque` in its shapes: code that is built at run time, or a name that cannot be told from its spelling.
    """
    octets = text.encode("utf-8")
    try:
        tokens = [octets[t.start : t.end].decode("utf-8", errors="replace") for t in scan(text).tokens]
    except PgQueryError:
        return Reach(kind="code", shapes=("opaque",))
    words = [token for token in tokens if not token.startswith(("--", "/*"))]
    return _collect(words)


def _collect(words: list[str]) -> Reach:
    calls: set[Name] = set()
    relations: set[Name] = set()
    fields: set[str] = set()
    settings: set[str | None] = set()
    forbidden: list[str] = []
    opaque = False
    for at, word in enumerate(words):
        before = words[at - 1].lower() if at else ";"
        after = words[at + 1] if at + 1 < len(words) else ""
        lower = word.lower()
        opaque |= lower.startswith('u&"')
        if not _is_name(word):
            continue
        name = Name(fold(words[at - 2]) if before == "." and at > 1 else None, fold(word))
        (calls if after == "(" else relations).add(name)
        if before == "." and after != "(":
            fields.add(name.name)
        if name.name == "current_setting" and after == "(":
            settings.add(_argument(words[at + 2 : at + 6]))
        if before != "." and not word.startswith('"'):
            forbidden += _forbidden(lower, before, after)
            opaque |= lower == "execute"
    names = frozenset(name.name for name in relations | calls)
    return Reach(
        kind="code",
        relations=frozenset(relations),
        functions=frozenset(calls),
        operators=_operators(words),
        types=frozenset(Name(None, name) for name in names),
        fields=frozenset(fields),
        settings=frozenset(settings),
        forbidden=tuple(dict.fromkeys(forbidden)),
        shapes=("opaque",) if opaque else (),
    )


def _operators(words: list[str]) -> frozenset[Name]:
    named = {word for word in words if word and set(word) <= _SYMBOLS}
    behind = {operator for word in words for operator in _UNSPOKEN.get(word.lower(), ())}
    return frozenset(Name(None, operator) for operator in named | behind | {*_IMPLIED})


def _forbidden(word: str, before: str, after: str) -> list[str]:
    if before in _OPENS and word in _SETS and after not in {":=", "=", "."}:
        return [word.upper()]
    if word == "share" and before in {"for", "key"}:
        return ["FOR SHARE"]
    if word in _WRITING and before in _OPENS | _WITHIN and after not in {":=", "=", ".", ","}:
        return [_WRITING[word]]
    return []


def _is_name(word: str) -> bool:
    return word[:1] == '"' or word[:1].isalpha() or word[:1] == "_" or word[:1] > "\x7f"


def _argument(words: list[str]) -> str | None:
    """The text of a first argument that is nothing but a plain string; else None."""
    after = words[3:] if words[1:3] == ["::", "text"] else words[1:]
    if not after or after[0] not in {",", ")"} or words[0][0] != "'":
        return None
    return words[0][1:-1].replace("''", "'")


def fold(identifier: str) -> str:
    """An identifier as the catalog spells it: ASCII letters in lower case, cut after 63 bytes."""
    if identifier.startswith('"'):
        plain = identifier[1:-1].replace('""', '"')
    else:
        plain = "".join(letter.lower() if letter.isascii() else letter for letter in identifier)
    return plain.encode("utf-8")[:63].decode("utf-8", errors="ignore")
