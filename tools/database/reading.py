"""A reading query from text to sealed rows: parse, judge, run in a cursor, give every column its verdict."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from hashlib import sha256
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from postgast import pg_query_pb2 as pb

from tools.database.catalog import Catalog, Relation, read_catalog
from tools.database.cells import raw_cursor
from tools.database.clipping import clipped, joined
from tools.database.guard import require_query, require_reading
from tools.database.linkage import Linkage, read_linkage
from tools.database.mixing import mixes
from tools.database.names import missing_relation
from tools.database.narrowing import Narrowing, narrowing
from tools.database.oracles import PhiRules, require_wide, settle_counts
from tools.database.phi import Verdict, attribute_verdict, computed_verdict
from tools.database.provenance import Origin, Shape, describe_views, described, settle
from tools.database.reach import Reach, inspect
from tools.database.reviewed import SENSITIVE_COLUMNS, secret_setting
from tools.database.roles import act_as
from tools.database.rows import Column, Raw, Rows
from tools.database.sqltext import Piece, parse_one
from tools.errors import InvalidInput, NotFound, Refused

if TYPE_CHECKING:
    from tools.database.connection import Database, Session

Cells: TypeAlias = tuple[Raw | None, ...]
KEPT_BYTES: Final = 256 * 1024
READ_BYTES: Final = 16 * 1024 * 1024
_DECLARE: Final = "DECLARE sergei NO SCROLL CURSOR FOR "
_TYPES: Final = (
    "select t.oid::int8 as oid, pg_catalog.format_type(t.oid, null) as name from pg_catalog.pg_type t"
    " where t.oid = any (%(oids)s::oid[])"
)
_SOURCES: Final = """
select a.attrelid::int8 as relation, a.attnum::int as number, n.nspname::text as schema,
       c.relname::text as name, a.attname::text as attribute
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attrelid = any (%(oids)s::oid[])
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement that may run, with all that is needed to say which of its columns may be shown."""

    piece: Piece
    reach: Reach
    catalog: Catalog
    linkage: Linkage
    views: dict[int, list[Origin]]
    narrowing: Narrowing
    rules: PhiRules

    @property
    def linked(self) -> str | None:
        """What of persons the statement reads: the first such relation or function, or None."""
        for relation in self.catalog.relations.values():
            if relation.system and relation.name in SENSITIVE_COLUMNS:
                return str(relation)
            if self.linkage.reason(relation.oid):
                return str(relation)
        own = (f for f in self.catalog.functions.values() if not f.builtin and not f.extension)
        return next((f"through {function}()" for function in own), None)

    @property
    def countable(self) -> bool:
        """Whether count() counts rows that exist: made rows could spell out a value by their number."""
        counts = [f for f in self.catalog.functions.values() if f.name == "count"]
        made = self.reach.rows_from_functions or self.reach.recursive
        made = made or self.narrowing.spelled
        return not made and all(function.builtin for function in counts)


async def read_rows(
    database: Database,
    sql: str,
    *,
    limit: int,
    role: str | None = None,
    claims: Mapping[str, Any] | None = None,
    rules: PhiRules | None = None,
    allowed: Collection[str] = (),
) -> Rows:
    """Run one reading statement and return at most `limit` rows, sealed. Raises Refused otherwise."""
    piece = parse_one(sql)
    reach = inspect(piece.node)
    require_query(reach)
    # The sandbox is ours, whole and disposable: there is no better login to ask for.
    ours = database.target.environment == "sandbox"
    warnings = () if ours else (await database.identity()).warnings
    try:
        async with database.session() as session:
            if isinstance(piece.node, pb.VariableShowStmt):
                return await _show(session, piece, warnings)
            judged = await judge_reading(session, piece, reach, role, claims, rules=rules, allowed=allowed)
            return await _select(session, judged, limit, warnings)
    except NotFound as error:
        raise await nearer(database, reach, error) from None


async def judge_reading(
    session: Session,
    piece: Piece,
    reach: Reach,
    role: str | None,
    claims: Mapping[str, Any] | None,
    *,
    planned: bool = False,
    rules: PhiRules | None = None,
    allowed: Collection[str] = (),
) -> Judged:
    """Act as `role` and resolve the statement in the catalog. Raises Refused when the guard objects to it.

    The role comes first: "$user" in its search_path may lead names elsewhere than the login's would.
    """
    await act_as(session, role, claims)
    catalog = await read_catalog(session, reach)
    require_reading(reach, catalog, planned=planned, allowed=allowed)
    own = [relation for relation in catalog.relations.values() if not relation.system]
    rules = rules or PhiRules()
    linkage = await read_linkage(session, [relation.oid for relation in own], rules.corrections)
    if role is not None and catalog.views:
        await session.run("SET LOCAL ROLE NONE")  # a view may be open to the role while its tables are not
    views = await describe_views(session, catalog.views)
    if role is not None and catalog.views:
        await session.become(role, None)
    narrowed = narrowing(piece.node, catalog, linkage, views)
    require_wide(narrowed, rules.probes)
    return Judged(piece, reach, catalog, linkage, views, narrowed, rules)


async def nearer(database: Database, reach: Reach, error: NotFound) -> NotFound:
    """A "does not exist" with the nearest names, where the statement names something that is not there."""
    if error.code != "42P01" or error.hint:
        return error
    async with database.session() as session:
        known = await read_catalog(session, Reach(reach.kind, relations=reach.relations))
    there = {relation.name for relation in known.relations.values()}
    absent = sorted((name for name in reach.relations if name.name not in there), key=str)
    if not absent:
        return error
    return await missing_relation(database, absent[0].schema, absent[0].name)


async def _select(session: Session, judged: Judged, limit: int, warnings: tuple[str, ...]) -> Rows:
    text = judged.piece.text
    # A line break ends a trailing comment; nothing follows it here, but nothing should depend on that.
    await session.plain(f"{_DECLARE}{text}\n", offset=len(_DECLARE))
    cursor = await session.run("FETCH FORWARD 0 FROM sergei")
    if cursor.pgresult is None:
        raise InvalidInput("The statement returns no columns.")
    shapes = described(cursor.pgresult)
    columns, verdicts = await _columns(session, shapes, judged)
    cutting = clipped(text, [column.type for column in columns])
    if cutting:
        await session.run("CLOSE sergei")
        await session.plain(f"{_DECLARE}{cutting[0]}")
    fetch = f"FETCH FORWARD {limit + 1} FROM sergei"
    raw, truncated = await _harvest(session, fetch, limit, cutting[1] if cutting else ())
    if _tells_order(judged.narrowing, verdicts):
        SystemRandom().shuffle(raw)
        warnings = (*warnings, "Rows come in no order here: they were sorted by a hidden value.")
    verdicts = settle_counts(judged.narrowing, judged.rules.probes, verdicts, raw)
    return Rows.sealed(
        columns, verdicts, raw, truncated=truncated, warnings=warnings, target=session.target.label
    )


def _tells_order(narrowing: Narrowing, verdicts: Sequence[Verdict]) -> bool:
    """Whether the order of the rows would tell who comes first by a value that is not shown."""
    keys = [verdicts[number - 1] for number in narrowing.sorted_by if 0 < number <= len(verdicts)]
    return narrowing.ordered or any(not key.shown and key.kind != "id" for key in keys)


async def _show(session: Session, piece: Piece, warnings: tuple[str, ...]) -> Rows:
    name = piece.node.name if isinstance(piece.node, pb.VariableShowStmt) else ""
    if name == "all":
        raise Refused("SHOW ALL may show secrets.", hint="Name one setting, or query pg_settings.")
    if secret_setting(name):
        raise Refused(f"The setting {name} may hold a secret.")
    raw, truncated = await _harvest(session, piece.text, 1)
    column = Column(name=name, type="text", shown=True, why="a setting")
    verdict = Verdict(True, "text", "a setting")
    return Rows.sealed(
        [column], [verdict], raw, truncated=truncated, warnings=warnings, target=session.target.label
    )


async def _harvest(
    session: Session, sql: str, limit: int, cut: tuple[int, ...] = ()
) -> tuple[list[tuple[Raw | None, ...]], str]:
    """Rows one at a time, until a cap is met; and what was left out, in words. `cut`: cut by the server."""
    rows: list[tuple[Raw | None, ...]] = []
    kept = read = 0
    stream = cast("AsyncGenerator[Cells]", raw_cursor(session.connection).stream(sql.encode()))
    async with session.deadline(), aclosing(stream):
        async for row in stream:
            cells = joined(row, cut)
            if len(rows) == limit:
                return (
                    rows,
                    f"only the first {limit:,} rows; narrow it, aggregate, or raise max_rows (1,000).",
                )
            kept += sum(len(cell.octets) for cell in cells if cell)
            read += sum(cell.size for cell in cells if cell)
            if rows and kept > KEPT_BYTES:
                return (
                    rows,
                    f"the first {len(rows):,} rows fill {KEPT_BYTES // 1024} KB; select fewer columns.",
                )
            rows.append(cells)
            if read > READ_BYTES:
                size = READ_BYTES // 1024 // 1024
                return (
                    rows,
                    f"stopped after {len(rows):,} rows and {size} MB; select fewer or smaller columns.",
                )
    return rows, ""


async def _columns(
    session: Session, shapes: list[Shape], judged: Judged
) -> tuple[list[Column], list[Verdict]]:
    types = {
        row["oid"]: row["name"]
        for row in await session.fetch(_TYPES, {"oids": [shape.type_oid for shape in shapes]})
    }
    origins = [settle(shape.origin, judged.views) for shape in shapes]
    rows = await session.fetch(_SOURCES, {"oids": sorted({oid for oid, _ in origins if oid})})
    sources = {(row["relation"], row["number"]): row for row in rows}
    columns: list[Column] = []
    verdicts: list[Verdict] = []
    mixed = mixes(judged.piece.node)
    scope = sha256(judged.piece.text.encode()).hexdigest()
    kinds = judged.reach.shapes if len(judged.reach.shapes) == len(shapes) else ("other",) * len(shapes)
    for shape, origin, kind in zip(shapes, origins, kinds, strict=True):
        type_name, source = str(types.get(shape.type_oid, "unknown")), sources.get(origin)
        verdict = _guarded(_verdict(origin, source, kind, type_name, judged), kind, judged)
        if origin not in sources and not verdict.shown:
            verdict = replace(verdict, blur=mixed, scope=scope)
        words = f"{source['schema']}.{source['name']}.{source['attribute']}" if source else None
        columns.append(
            Column(name=shape.name, type=type_name, source=words, shown=verdict.shown, why=verdict.why)
        )
        verdicts.append(verdict)
    return columns, verdicts


def _guarded(verdict: Verdict, kind: str, judged: Judged) -> Verdict:
    """Nothing is shown of rows that were chosen by holding them against a person's hidden values."""
    if not (judged.narrowing.spelled and verdict.shown) or kind in ("constant", "count"):
        return verdict
    return replace(verdict, shown=False, why=f"compared with hidden values of {judged.narrowing.table}")


def _verdict(
    origin: Origin, source: Mapping[str, Any] | None, kind: str, type_name: str, judged: Judged
) -> Verdict:
    relation, number = origin
    behind = judged.catalog.relations.get(relation)
    if behind is not None and behind.definition is not None and not behind.system:
        return computed_verdict("other", type_name, judged.linked, countable=False)
    known = judged.linkage.tables.get(relation)
    if known is not None and number in known.columns:
        return attribute_verdict(known.columns[number], judged.linkage)
    if source is not None and number > 0 and _system(behind):
        closed = SENSITIVE_COLUMNS.get(source["name"], frozenset())
        if source["attribute"] in closed:
            statement = source["attribute"] == "query"
            why = "shown without its literals" if statement else "may carry secrets"
            return Verdict(statement, "text", why, statement=statement)
        return Verdict(True, "text", "system catalog")
    return computed_verdict(kind, type_name, judged.linked, countable=judged.countable)


def _system(relation: Relation | None) -> bool:
    return relation is not None and relation.system
