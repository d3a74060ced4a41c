"""access_matrix: role x relation x command, effective, and who may execute which function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import Field

from tools.errors import NotFound
from tools.registry import Effect, Params, tool
from tools.resources import Resources
from tools.review import Gap
from tools.rls.matrix.access import COMMANDS, Extent, access
from tools.rls.matrix.answer import KINDS, Cell, Executable, Line, Matrix
from tools.rls.objects import Function, Relation
from tools.rls.privileges import Role, granted
from tools.rls.reading import read_snapshot
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import shown, text_of


class AccessMatrix(Params):
    """Arguments of access_matrix."""

    schemas: list[str] = Field(default=[], description="Only these schemas; the user's own ones when empty.")
    roles: list[str] = Field(
        default=[], description="Only these roles; anon and authenticated (or the outsiders) when empty."
    )
    relations: list[str] = Field(
        default=[], description="Only these relations (schema.name or name): with reasons, cell by cell."
    )
    detail: bool = Field(default=False, description="Reasons and policies for every cell.")


@tool(Effect.READ)
async def access_matrix(params: AccessMatrix, resources: Resources) -> Matrix:
    """Show who may do what: role x relation x command, effective, with the policies that decide.

    Grants (also through membership and PUBLIC), schema USAGE, row level security, ownership, BYPASSRLS, views
    as their owner or as the caller, column privileges, EXECUTE on functions. Read from the catalog alone. For
    one row and one caller use explain_access; for faults review_rls; to compare two states diff_access.
    """
    snapshot = await read_snapshot(resources.database, resources.exposed_schemas)
    return matrix(snapshot, resources.database.target.label, params)


def matrix(snapshot: Snapshot, target: str, params: AccessMatrix) -> Matrix:
    """The matrix of a snapshot. Raises NotFound for a schema, role or relation that does not exist."""
    roles = _roles(snapshot, params.roles)
    relations = _relations(snapshot, params)
    schemas = {relation.schema for relation in relations} if params.relations else set(params.schemas)
    own = not params.schemas and not params.relations
    detail = params.detail or bool(params.relations)
    return Matrix(
        target=target,
        roles=tuple(role.name for role in roles),
        unbound=tuple(_unbound(snapshot)),
        relations=tuple(_line(snapshot, relation, roles, detail) for relation in relations),
        functions=() if params.relations else tuple(_functions(snapshot, roles, None if own else schemas)),
        not_examined=tuple(_gaps(snapshot, relations)),
        detail=detail,
    )


def _line(snapshot: Snapshot, relation: Relation, roles: Iterable[Role], detail: bool) -> Line:
    cells: list[Cell] = []
    for role in roles:
        for command in COMMANDS:
            found = access(snapshot, role, relation, command)
            if found.extent is not Extent.NONE:
                cells.append(
                    Cell(
                        role=role.name, command=command, access=found.extent, why=found.why,
                        policies=found.policies, restrictive=found.restrictive, columns=found.columns,
                        notes=found.notes,
                    )
                )  # fmt: skip
    state = "forced" if relation.rls and relation.forced else "on" if relation.rls else "off"
    return Line(
        schema=relation.schema, relation=relation.name, kind=KINDS[relation.kind],
        rls=state if relation.is_table else "", api=_served(snapshot, relation),
        width=len(relation.columns), cells=tuple(cells),
        partition_of=relation.parents[0] if relation.partition and relation.parents else "",
        policies=tuple(shown(f"{p.name}: {text_of(p)}") for p in relation.policies) if detail else (),
    )  # fmt: skip


def _served(snapshot: Snapshot, relation: Relation) -> bool:
    """Whether an API reaches the relation: PostgREST, or Supabase's storage and realtime by their own."""
    return snapshot.reachable(relation.schema) or (
        snapshot.supabase and relation.schema in ("storage", "realtime")
    )


def _roles(snapshot: Snapshot, wanted: Sequence[str]) -> tuple[Role, ...]:
    for name in wanted:
        _require(name, snapshot.roles, "role")
    return tuple(snapshot.roles[name] for name in wanted) if wanted else snapshot.callers


def _relations(snapshot: Snapshot, params: AccessMatrix) -> list[Relation]:
    for name in params.schemas:
        _require(name, snapshot.schemas, "schema")
    if params.relations:
        return [_relation(snapshot, name) for name in dict.fromkeys(params.relations)]
    return [
        relation
        for relation in snapshot.relations.values()
        if (relation.schema in params.schemas if params.schemas else _own(relation))
    ]


def _own(relation: Relation) -> bool:
    """The user's own schemas, and storage.objects and realtime.messages, whose policies are the user's."""
    return relation.schema not in PLATFORM_SCHEMAS or bool(relation.policies)


def _relation(snapshot: Snapshot, name: str) -> Relation:
    schema, _, bare = name.rpartition(".")
    found = snapshot.named(schema, bare, ("public", *sorted(snapshot.schemas)))
    if found is None:
        _require(name if schema else f"public.{name}", snapshot.relations, "relation")
    assert found is not None
    return found


def _require(name: str, known: Iterable[str], word: str) -> None:
    names = list(known)
    if name not in names:
        near = get_close_matches(name, names, n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else ""
        raise NotFound(f"There is no {word} {name} here.", hint=hint)


def _functions(snapshot: Snapshot, roles: Sequence[Role], schemas: set[str] | None) -> Iterable[Executable]:
    for function in snapshot.functions:
        inside = function.schema not in PLATFORM_SCHEMAS if schemas is None else function.schema in schemas
        callers = tuple(role.name for role in roles if _executes(snapshot, role, function))
        if inside and callers and not function.is_trigger:
            yield Executable(
                function=shown(function.title),
                security="definer" if function.definer else "invoker",
                api=snapshot.reachable(function.schema),
                roles=callers,
            )


def _executes(snapshot: Snapshot, role: Role, function: Function) -> bool:
    return snapshot.usable(role, function.schema) and "EXECUTE" in granted(function.acl, role)


def _unbound(snapshot: Snapshot) -> Iterable[Gap]:
    """Roles that can log in, or that the API uses, and that see every row."""
    for name, role in sorted(snapshot.roles.items()):
        if (role.superuser or role.bypassrls) and not name.startswith("pg_"):
            yield Gap(what=name, why="superuser" if role.superuser else "BYPASSRLS")


def _gaps(snapshot: Snapshot, relations: Sequence[Relation]) -> Iterable[Gap]:
    if any(function.definer for function in snapshot.functions):
        yield Gap(
            what="rows that definer functions hand out",
            why="a cell speaks of statements on the relation itself; review_rls judges the functions",
        )
    for relation in relations:
        unread = [p.name for p in relation.policies if p.using_text and p.using is None]
        if unread:
            yield Gap(
                what=f"policy {unread[0]} on {relation.title}", why="its expression could not be parsed"
            )
        if relation.kind == "f":
            yield Gap(what=relation.title, why="another server decides about a foreign table's rows")
