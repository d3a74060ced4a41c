"""A set-returning function in place of a helper that answers about one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tools.rls.design.existing import free_name
from tools.rls.fixing import trees
from tools.rls.fixing.setform import key_set
from tools.rls.objects import Function
from tools.rls.privileges import PUBLIC
from tools.rls.reach import Reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import literal, quoted

IDENTITY: Final = frozenset({"uid", "jwt", "role", "email"})


@dataclass(frozen=True, slots=True)
class SetFunction:
    """`name` is quoted; `key` is the position of the row's argument, `others` those that are still passed."""

    name: str
    create: str
    drop: str
    others: tuple[int, ...]
    key: int


def set_function(reached: Reach, function: Function) -> SetFunction | None:
    """The keys for which the helper says yes, as a function with the same rights; None where it is no test of
    membership."""
    snapshot, path = reached.snapshot, reached.path(function)

    def columns(parsed: Any) -> frozenset[str]:
        read = [node.range_var for node in trees.nodes(parsed) if trees.kind(node) == "range_var"]
        relations = (snapshot.named(one.schemaname, one.relname, path) for one in read)
        return frozenset(name for relation in relations if relation for name in relation.columns)

    found = key_set(function, columns)
    if found is None:
        return None
    plain = free_name(snapshot, function.schema, f"{function.name}_keys")
    name = quoted(function.schema, plain)
    given = [f"{quoted(function.arguments[i])} {function.argument_types[i]}" for i in found.others]
    signature = f"{name}({', '.join(function.argument_types[i] for i in found.others)})"
    queries = [_rewritten(snapshot, query, function, plain, found.others) for query in found.queries]
    kind = function.argument_types[found.parameter]
    security = f"security {'definer' if function.definer else 'invoker'}{_settings(function)}"
    lines = [
        f"create function {name}({', '.join(given)}) returns setof {kind}",
        f"language sql stable {security} as $$",
        "  " + "\n  union\n  ".join(queries),
        "$$;",
        *_rights(snapshot, function, signature),
    ]
    return SetFunction(name, "\n".join(lines), f"drop function {signature};", found.others, found.parameter)


def once(root: Any, of_the_caller: Callable[[Any], bool]) -> int:
    """Put each call that depends on the caller only into a scalar subquery of its own; how many there were.

    Messages are told apart by identity, which holds while they are referred to: hence the list.
    """
    every = list(trees.nodes(root))
    links = [node for node in every if trees.kind(node) == "sub_link"]
    wrapped = [call for node in links for call in _only_target(node.sub_link.subselect.select_stmt)]
    calls = [node for node in every if trees.kind(node) == "func_call" and of_the_caller(node)]
    inner = [below for call in calls for below in trees.nodes(call.func_call)]
    left = {id(node) for node in (*wrapped, *inner)}
    number = 0
    for call in calls:
        if id(call) not in left:
            trees.replace(call, f"(select {trees.node_text(call)})")
            number += 1
    return number


def of_caller(snapshot: Snapshot, node: Any) -> bool:
    """Whether a call gives one value per statement: an identity, or a stable function of no column."""
    schema, name = trees.called(node)
    if any(trees.names(one) for one in trees.nodes(node)):
        return False
    if schema == "auth":
        return name in IDENTITY
    if name == "current_setting" and schema in ("", "pg_catalog"):
        return True
    functions = snapshot.functions_named.get(f"{schema}.{name}", ())
    return bool(functions) and all(
        f.volatility == "s" and f.schema not in PLATFORM_SCHEMAS and not _returns_set(f) for f in functions
    )


def _only_target(select: Any) -> list[Any]:
    if select.from_clause or len(select.target_list) != 1:
        return []
    return [select.target_list[0].res_target.val]


def _returns_set(function: Function) -> bool:
    head = function.definition.partition(" AS ")[0].lower()
    return "returns setof" in head or "returns table" in head


def _rewritten(snapshot: Snapshot, query: str, function: Function, name: str, others: tuple[int, ...]) -> str:
    """The query with its parameters under the new function's name and numbers, the caller asked once."""
    parsed = trees.script(query)
    if parsed is None:
        return query
    for node in trees.nodes(parsed):
        if trees.kind(node) == "param_ref":
            node.param_ref.number = others.index(node.param_ref.number - 1) + 1
        elif trees.names(node)[:1] == (function.name,) and trees.names(node)[-1] in function.arguments:
            node.column_ref.fields[0].string.sval = name
    once(parsed, lambda node: of_caller(snapshot, node))
    return trees.written(parsed)


def _settings(function: Function) -> str:
    """The function's own settings; a search_path where it has none, since policies rely on it."""
    said: list[str] = []
    for entry in function.config:
        key, _, text = entry.partition("=")
        is_path = key == "search_path"
        said.append(
            f" set {key} = {(text if text.strip(chr(34)) else chr(39) * 2) if is_path else literal(text)}"
        )
    return "".join(said) or " set search_path = public"


def _rights(snapshot: Snapshot, function: Function, signature: str) -> list[str]:
    """EXECUTE as the helper has it, whatever the default privileges say."""
    if "EXECUTE" in function.acl.get(PUBLIC, frozenset()):
        return []
    holders = sorted(who for who, held in function.acl.items() if "EXECUTE" in held and who != function.owner)
    others = [role.name for role in snapshot.callers if role.name not in holders]
    lines = [f"revoke execute on function {signature} from {', '.join(['public', *map(quoted, others)])};"]
    return [*lines, *(f"grant execute on function {signature} to {quoted(who)};" for who in holders)]
