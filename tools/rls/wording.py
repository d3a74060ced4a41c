"""Names, privileges and ranks as the findings print them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from tools.findings import Finding, Level
from tools.rls.objects import Function, Policy, Relation
from tools.rls.snapshot import Snapshot

DOMAIN: Final = "rls"
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")
_RESERVED: Final = frozenset({
    "all", "and", "any", "array", "as", "asc", "both", "case", "cast", "check", "collate", "column",
    "constraint", "create", "current_date", "current_role", "current_time", "current_timestamp",
    "current_user", "default", "desc", "distinct", "do", "else", "end", "except", "false", "for",
    "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into", "lateral",
    "leading", "limit", "localtime", "localtimestamp", "not", "null", "offset", "on", "only", "or",
    "order", "placing", "primary", "references", "returning", "select", "session_user", "some",
    "symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using",
    "variadic", "when", "where", "window", "with",
})  # fmt: skip
_PERSONAL_COLUMN: Final = re.compile(
    r"((^|_)(patient|profile|person|member|child|account|user|owner)_(id|reference)$)"
    r"|(^|_)(birth_?date|date_of_birth|dob|diagnos[ei]s|allerg(y|ies)|ssn|national_id|blood_(group|type))($|_)"
)
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ANCHOR: Final = re.compile(r"(^|_)(profiles?|patients?|persons?|people|accounts?|users?)$")


def quoted(*names: str) -> str:
    """A dotted name, quoted where SQL needs it; a control character in it is written out."""
    return ".".join(
        name if _PLAIN.fullmatch(name) and name not in _RESERVED else _enclosed(name, '"') for name in names
    )


def literal(text: str) -> str:
    """A string constant as SQL writes it; a control character in it is written out."""
    return _enclosed(text, "'")


def _enclosed(text: str, mark: str) -> str:
    if _UNSEEN.search(text):
        text = _UNSEEN.sub(lambda found: f"\\+{ord(found[0]):06x}", text.replace("\\", "\\\\"))
        return "U&" + mark + text.replace(mark, mark * 2) + mark
    return mark + text.replace(mark, mark * 2) + mark


def shown(text: str) -> str:
    """The text on one line, without anything that a terminal would act on: names may hold any character."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def remark(*lines: str) -> str:
    """Lines of SQL comment; a name that holds a line break cannot end one."""
    return "\n".join(f"-- {shown(line)}" for line in lines)


def table_name(relation: Relation) -> str:
    """The relation as SQL writes it."""
    return quoted(relation.schema, relation.name)


def function_name(function: Function) -> str:
    """The function with its argument types as SQL writes it."""
    return f"{quoted(function.schema, function.name)}({function.identity_types})"


def listed(names: Iterable[str], *, most: int = 6) -> str:
    """`a, b and c`; the rest as a number."""
    several = list(names)
    if len(several) > most:
        several = [*several[:most], f"{len(several) - most} more"]
    return " and ".join([", ".join(several[:-1]), several[-1]]) if len(several) > 1 else "".join(several)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 policy`, `3 policies`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def relying(policies: Collection[Policy]) -> str:
    """`2 policies rely on it: ...`."""
    verb = "relies" if len(policies) == 1 else "rely"
    return f"{counted(len(policies), 'policy', 'policies')} {verb} on it: {listed(p.title for p in policies)}"


def doing(privileges: Iterable[str]) -> str:
    """`read, insert into and delete from`, in the usual order."""
    words = {"SELECT": "read", "INSERT": "insert into", "UPDATE": "update", "DELETE": "delete from"}
    held = set(privileges)
    return listed([word for name, word in words.items() if name in held])


def grants(exposure: dict[str, frozenset[str]]) -> str:
    """`anon: SELECT, INSERT; authenticated: SELECT`."""
    order = ("SELECT", "INSERT", "UPDATE", "DELETE")
    return "; ".join(
        f"{role}: {', '.join(p for p in order if p in privileges)}" for role, privileges in exposure.items()
    )


def personal(snapshot: Snapshot, relation: Relation) -> bool:
    """Whether rows belong to a person: by foreign keys, or by what the columns are called.

    Keys such as created_by say who touched a row, not whose it is, and do not count.
    """
    seen: set[str] = set()
    waiting = [relation.title, *relation.parents]
    while waiting:
        title = waiting.pop()
        here = snapshot.relations.get(title)
        if here is None or title in seen:
            continue
        seen.add(title)
        if title == "auth.users" or _ANCHOR.search(here.name):
            return True
        if any(_PERSONAL_COLUMN.search(name) for name in here.columns):
            return True
        waiting.extend(here.reads)
        owners = [key for key in here.foreign_keys if not all(c.endswith("_by") for c in key.columns)]
        waiting.extend(key.target for key in owners)
    return False


def names_person(column: str) -> bool:
    """Whether a column is called like something that tells who a row is about."""
    return _PERSONAL_COLUMN.search(column) is not None


def signed_in(callers: Iterable[str]) -> tuple[str, ...]:
    """The callers without anon, for which no condition on identity is true: auth.uid() is null."""
    return tuple(name for name in callers if name != "anon")


def rank(snapshot: Snapshot, relation: Relation | None, callers: Iterable[str]) -> int:
    """PHI that anon reaches first (0), then anon (10), PHI for anybody signed in (20), the rest (30)."""
    patient = relation is not None and personal(snapshot, relation)
    if "anon" in set(callers):
        return 0 if patient else 10
    return 20 if patient else 30


def on_table(
    rule: str, level: Level, relation: Relation, message: str, *, evidence: str, fix: str, rank: int = 50
) -> Finding:
    """A finding about a relation."""
    return Finding(
        rule=rule, level=level, domain=DOMAIN, schema=relation.schema, table=relation.name,
        object=shown(relation.title), message=shown(message), evidence=shown(evidence), fix=fix, rank=rank,
    )  # fmt: skip


def on_policy(
    rule: str, level: Level, relation: Relation, policy: Policy, message: str, *, evidence: str = "",
    fix: str, rank: int = 50,
) -> Finding:  # fmt: skip
    """A finding about a policy; the policy's text is the evidence unless other is given."""
    return Finding(
        rule=rule, level=level, domain=DOMAIN, schema=relation.schema, table=relation.name,
        policy=policy.name, object=shown(policy.title), message=shown(message),
        evidence=shown(evidence or text_of(policy)), fix=fix, rank=rank,
    )  # fmt: skip


def on_function(
    rule: str, level: Level, function: Function, message: str, *, evidence: str, fix: str, rank: int = 50
) -> Finding:
    """A finding about a function."""
    return Finding(
        rule=rule, level=level, domain=DOMAIN, schema=function.schema, function=function.title,
        object=shown(function.title), message=shown(message), evidence=shown(evidence), fix=fix, rank=rank,
    )  # fmt: skip


def body_in_short(function: Function) -> str:
    """A function's source on one line, cut: the evidence that most findings about one show."""
    return " ".join(function.body.split())[:400]


def text_of(policy: Policy) -> str:
    """The policy as it stands: command, roles and both expressions."""
    parts = [f"{'' if policy.permissive else 'restrictive '}{policy.command} to {', '.join(policy.roles)}"]
    if policy.using_text:
        parts.append(f"using ({_flat(policy.using_text)})")
    if policy.check_text:
        parts.append(f"with check ({_flat(policy.check_text)})")
    return " ".join(parts)


def altered(policy: Policy, relation: Relation, rest: str) -> str:
    """`alter policy p on t rest`."""
    return f"alter policy {quoted(policy.name)} on {table_name(relation)}\n  {rest};"


def _flat(text: str) -> str:
    flat = " ".join(text.split())
    while flat.startswith("(") and flat.endswith(")") and _closes_at_end(flat):
        flat = flat[1:-1]
    return flat if len(flat) <= 400 else flat[:397] + "..."


def _closes_at_end(text: str) -> bool:
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return i == len(text) - 1
    return False
