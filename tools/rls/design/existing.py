"""What a schema has already that a design uses again: set-returning helpers, a guard, a private schema."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, Literal

from tools.rls.objects import Function, Relation
from tools.rls.proof.model import Kind, Model
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import quoted

Right = Literal["read", "write", "manage", "own"]
RIGHTS: Final[tuple[Right, ...]] = ("read", "write", "manage", "own")
_NEEDS: Final[dict[str, Right]] = {"SELECT": "read", "INSERT": "write", "UPDATE": "write", "DELETE": "manage"}
_PRIVATE: Final = ("private", "app_private", "internal", "app", "authz", "security")
_RAISES: Final = re.compile(r"\braise\b", re.IGNORECASE)


def private_schema(snapshot: Snapshot) -> str:
    """The schema for helpers: one that the API does not serve, `private` where there is none yet."""
    own = [name for name in snapshot.schemas if name not in snapshot.exposed and name not in PLATFORM_SCHEMAS]
    return next((name for name in _PRIVATE if name in own), "private")


def helpers(snapshot: Snapshot, model: Model, anchor: str) -> dict[Right, str]:
    """The functions that most policies of this anchor's tables ask for its keys, by what they are asked for.

    Only functions without arguments that stand in `column = any (array(select f()))` or `column in (select
    f())` count: one that runs per row is no model for a new feature.
    """
    seen: dict[Right, Counter[str]] = {right: Counter() for right in RIGHTS}
    deciding = trusted_tables(model)
    for title, belonging in model.tables.items():
        relation = snapshot.relations.get(title)
        columns = [p[0].columns[-1] for p in belonging.paths if len(p) == 1 and p[0].target == anchor]
        if relation is None or belonging.kind is not Kind.SCOPED or not columns:
            continue
        for policy in relation.policies:
            for command, right in _NEEDS.items():
                text = (policy.check_text if command == "INSERT" else policy.using_text) or ""
                function = _asked(text, columns) if policy.covers(command) and policy.permissive else None
                if function is None or function not in _sets(snapshot):
                    continue
                if title not in deciding:
                    seen[right][function] += 1
                elif command in ("INSERT", "UPDATE"):
                    seen["own"][function] += 1
    found: dict[Right, str] = {r: counts.most_common(1)[0][0] for r, counts in seen.items() if counts}
    if not {"read", "write"} <= set(found):
        return {}
    found.setdefault("manage", found["write"])
    found.setdefault("own", found["manage"])
    return found


def trusted_tables(model: Model) -> frozenset[str]:
    """Tables whose rows decide about access: openings, and what their conditions and accounts refer to."""
    names: set[str] = set()
    for opening in model.openings:
        names.add(opening.table)
        names.update(condition.table for condition in opening.conditions)
        names.update(hop.target for hop in opening.account.hops)
    return frozenset(names)


def _asked(text: str, columns: list[str]) -> str | None:
    for column in columns:
        name = re.escape(quoted(column))
        match = re.search(rf"\b{name} (?:= ANY \(ARRAY\(|IN \() ?SELECT ([\w.\"$]+)\(\)", text)
        if match is not None:
            return match[1]
    return None


def _sets(snapshot: Snapshot) -> set[str]:
    return {quoted(f.schema, f.name) for f in snapshot.functions if not f.argument_types and f.kind == "f"}


def guard(snapshot: Snapshot) -> str:
    """The trigger function that already keeps columns as they are (its arguments name them), or nothing."""
    used: Counter[int] = Counter()
    for relation in snapshot.relations.values():
        for trigger in relation.triggers:
            if trigger.before and trigger.fires("UPDATE") and set(trigger.arguments) & set(relation.columns):
                used[trigger.function] += 1
    for oid, times in used.most_common():
        function = snapshot.function_by_oid.get(oid)
        if times > 1 and function is not None and _RAISES.search(function.body):
            return quoted(function.schema, function.name)
    return ""


def free_name(snapshot: Snapshot, schema: str, wanted: str) -> str:
    """A name that no function or relation of the schema has yet."""
    taken = {f.name for f in snapshot.functions if f.schema == schema}
    taken |= {r.name for r in snapshot.relations.values() if r.schema == schema}
    wanted = wanted[:58]
    return next(name for n in range(1, 1000) if (name := wanted if n == 1 else f"{wanted}_{n}") not in taken)


def policy_helpers(snapshot: Snapshot, relation: Relation) -> list[Function]:
    """Functions with arguments that the relation's policies call: per row, and so not used again."""
    called = {
        (call.schema, call.name)
        for policy in relation.policies
        for part in policy.parts()
        for call in part.calls
    }
    return [f for f in snapshot.functions if (f.schema, f.name) in called and f.argument_types]
