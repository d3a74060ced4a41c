"""What the values of a level column allow, and which transitions an account may make on its own opening."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from tools.rls.proof.chains import Chain
from tools.rls.proof.evidence import Evidence
from tools.rls.proof.keys import is_author
from tools.rls.proof.lifecycles import waiting
from tools.rls.proof.model import Opening, Rank

if TYPE_CHECKING:
    from tools.rls.objects import Column

Right = Literal["read", "write", "manage"]
READ: Final[frozenset[Right]] = frozenset({"read"})
WRITE: Final[frozenset[Right]] = frozenset({"read", "write"})
MANAGE: Final[frozenset[Right]] = frozenset({"read", "write", "manage"})

_LEVEL: Final = re.compile(
    r"^(access|permission|grant|member|membership|user|share|sharing|staff|family|team|org|household|care|caregiver)?_?"
    r"(level|role|permissions?|rights?|privileges?|access|access_type|permission_level|access_level|role_name|role_type|"
    r"capability|mode)$"
)
_WORDS: Final = (
    (
        MANAGE,
        re.compile(
            r"(^|_)(manage[rd]?|admin(istrator)?s?|owner|full(_access)?|super(user|_?admin)?|root|all|primary|head)(_|$)"
        ),
    ),
    (
        READ,
        re.compile(
            r"(^|_)(read(er|_?only|ing)?|view(er|_?only|ing)?|guest|observer|watch(er)?|see|look|list|select|limited|basic|"
            r"child|audit(or)?)(_|$)"
        ),
    ),
    (
        WRITE,
        re.compile(
            r"(^|_)(write[r]?|read_?write|rw|edit(or|ing)?|contribut(e|or)|modify|update|collaborat(e|or)|author|create|"
            r"delegate|proxy)(_|$)"
        ),
    ),
)
_CAN: Final = re.compile(
    r"^(can|may|allow(ed|s)?|is_allowed)_(to_)?(write|edit|contribute|update|modify|add|create|record|manage|change)"
)


def level_column(evidence: Evidence, table: str, rows: set[int]) -> str:
    """The column that tells how much an opening's row allows; empty where there is none."""
    relation = evidence.snapshot.relations.get(table)
    if relation is None:
        return ""
    tested = {test.ref.column for row in rows for test in evidence.tests.get(row, ())}
    named = [c for c in relation.columns.values() if _LEVEL.search(c.name.lower()) and _worded(c)]
    named.sort(key=lambda c: (c.name not in tested, not c.values, c.number))
    if named:
        return named[0].name
    flags = [c.name for c in relation.columns.values() if c.type == "boolean" and _CAN.search(c.name.lower())]
    return sorted(flags, key=lambda name: (name not in tested, name))[0] if flags else ""


def _worded(column: Column) -> bool:
    return column.type not in ("boolean", "uuid", "jsonb", "json", "date") and not column.type.startswith(
        "timestamp"
    )


def ranks(evidence: Evidence, made: Opening, level: str, chains: list[Chain]) -> tuple[Rank, ...]:
    """What each value allows: by its word; where the word is vague, by what most policies let it do."""
    relation = evidence.snapshot.relations[made.table]
    column = relation.columns[level]
    if column.type == "boolean":
        return (Rank("false", READ), Rank("true", MANAGE if "manage" in level else WRITE))
    values = column.values or tuple(evidence.constants.get((made.table, level), ()))
    return tuple(Rank(value, _by_word(value) or _by_use(evidence, level, value, chains)) for value in values)


def _by_word(value: str) -> frozenset[Right] | None:
    word = re.sub(r"[^a-z0-9]+", "_", value.lower())
    if re.search(r"read.*write|rw", word):
        return WRITE
    return next((rights for rights, pattern in _WORDS if pattern.search(word)), None)


def _by_use(evidence: Evidence, level: str, value: str, chains: list[Chain]) -> frozenset[Right]:
    """Whether policies for changing rows, and for deleting them, let this value pass: most of them, or some
    that name it (more than one: a single one may be the mistake, unless the value is there for it alone).
    """
    rights: set[Right] = {"read"}
    everywhere = {
        chain.way.policy.title
        for chain in chains
        if chain.way.table != chain.opening and value in _wanted(evidence, chain, level)
    }
    asking: tuple[tuple[Right, tuple[str, ...]], ...] = (
        ("write", ("INSERT", "UPDATE")),
        ("manage", ("DELETE",)),
    )
    for right, commands in asking:
        passed = asked = 0
        naming: set[str] = set()
        for chain in chains:
            if chain.way.table == chain.opening or not any(chain.way.policy.covers(one) for one in commands):
                continue
            wanted = _wanted(evidence, chain, level)
            asked += 1
            passed += not wanted or value in wanted
            if value in wanted:
                naming.add(chain.way.policy.title)
        if (asked and passed * 2 > asked) or len(naming) > 1:
            rights |= {"write", right}
        elif naming == everywhere != set():
            rights.add("write")
    return frozenset(rights)


def _wanted(evidence: Evidence, chain: Chain, level: str) -> set[str]:
    """The values of a level that a chain's lookup lets pass; empty where it does not ask."""
    return {
        test.value
        for test in evidence.tests.get(chain.row, ())
        if test.ref.column == level and test.kind == "equal"
    }


def accepts(evidence: Evidence, made: Opening) -> tuple[tuple[str, str, str], ...]:
    """pending -> active, where somebody else makes the row and its account is asked to agree.

    Nobody accepts a row of his own making: that would be verifying oneself.
    """
    if made.account.hops or any(_makes_own(chain, made) for chain in evidence.of(made.table)):
        return ()
    found: list[tuple[str, str, str]] = []
    relation = evidence.snapshot.relations.get(made.table)
    for one in made.conditions:
        if one.hops or one.kind != "one_of" or relation is None:
            continue
        if re.search(r"verif|approv|review", one.column):
            continue
        found.extend(
            (one.column, value, live)
            for value in relation.columns[one.column].values
            if waiting(value)
            for live in one.values[:1]
        )
    return tuple(found)


def _makes_own(chain: Chain, made: Opening) -> bool:
    """Whether an INSERT policy of the table itself asks that the new row names the caller as its account."""
    return (
        chain.way.part == "check"
        and chain.way.policy.covers("INSERT")
        and not chain.hops
        and not chain.opening
        and chain.column == made.account.column
        and not is_author(chain.column)
    )
