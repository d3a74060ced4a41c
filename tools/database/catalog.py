"""The facts of the catalog about what a statement reaches, through views, operators, domains and bodies.

    statement ─▶ relations, functions ─▶ views, bodies, defaults, CHECKs, policies ─▶ ... ─▶ nothing new

Names are resolved as the session would, and again whenever a function brings a search_path of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, LiteralString

from tools.database.bodies import fold, read_code
from tools.database.catalog_queries import FUNCTIONS, NOTHING, RELATIONS, ROOM, SETTINGS, TYPES
from tools.database.reach import Name, Reach, inspect
from tools.database.reviewed import SENSITIVE_SCHEMAS, holds_secret
from tools.database.sqltext import parse_script
from tools.errors import InvalidInput

if TYPE_CHECKING:
    from tools.database.connection import Session

_ROUNDS: Final = 12


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that is reached. `definition` is a user's view, as SQL; `locks`: how many it may take."""

    oid: int
    schema: str
    name: str
    kind: str
    extension: bool
    definition: str | None
    policies: str | None = None
    checks: str | None = None
    generated: str | None = None
    locks: int = 1

    @property
    def system(self) -> bool:
        """Whether it is part of PostgreSQL itself or of an extension without data of its own."""
        catalogs = self.schema in {"pg_catalog", "information_schema"}
        return catalogs or (self.extension and self.schema not in SENSITIVE_SCHEMAS)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a statement reaches. `volatility` is i, s or v; `body` only for sql and plpgsql."""

    oid: int
    schema: str
    name: str
    volatility: str
    language: str
    extension: bool
    body: str | None
    defaults: str | None = None
    aggregate: bool = False
    path: str | None = None
    checks: str | None = None

    @property
    def builtin(self) -> bool:
        """Whether it is part of PostgreSQL itself (its own objects have ids below 16384)."""
        return self.oid < 16384

    def __str__(self) -> str:
        return self.name if self.schema == "pg_catalog" else f"{self.schema}.{self.name}"


@dataclass(slots=True)
class Catalog:
    """What exists of the names that were reached, by oid.

    `relations` and `functions`: of the statement, its views, and the functions in their bodies (`inner`).
    `behind` and `ambient`: what else may run or be read: in bodies, policies, CHECKs of domains, casts.
    `settings`: names given to current_setting (None: not a constant). `room`: locks one query may take.
    `shapes`: what the definition of a view does beyond reading. `secrets`: parameters of pg_settings that
    hold one, when it is read.
    """

    relations: dict[int, Relation] = field(default_factory=dict[int, Relation])
    functions: dict[int, Function] = field(default_factory=dict[int, Function])
    settings: set[str | None] = field(default_factory=set[str | None])
    inner: set[int] = field(default_factory=set[int])
    behind: dict[int, Relation] = field(default_factory=dict[int, Relation])
    ambient: dict[int, Function] = field(default_factory=dict[int, Function])
    shapes: list[str] = field(default_factory=list[str])
    secrets: tuple[str, ...] = ()
    room: int = 3200

    @property
    def views(self) -> list[Relation]:
        """Views and materialized views that are not the system's."""
        return [r for r in self.relations.values() if r.definition is not None and not r.system]


@dataclass(frozen=True, slots=True)
class _Step:
    """Names to resolve, and where they were met: outer (statement, views), inner (bodies), ambient."""

    place: str
    reach: Reach
    anywhere: bool = False


async def read_catalog(session: Session, reach: Reach) -> Catalog:
    """Resolve `reach` with this session's search_path, and what its views and bodies reach in turn."""
    catalog, paths = Catalog(), set[str]()
    done: list[_Step] = []
    fresh = [_Step("outer", reach), _Step("ambient", Reach("ambient"), anywhere=True)]
    for _ in range(_ROUNDS):
        before = len(paths)
        found = await _resolve(session, fresh, paths, catalog)
        done += fresh
        # A search_path that came to light may lead the names of every body elsewhere.
        fresh = found + ([step for step in done if step.place != "outer"] if len(paths) > before else [])
        if not fresh:
            return await _surroundings(session, catalog)
    raise InvalidInput("The statement reaches through too many layers of views and functions to be judged.")


async def _resolve(session: Session, steps: list[_Step], paths: set[str], catalog: Catalog) -> list[_Step]:
    """Add what exists of `steps` to the catalog, in one round trip; new code makes the next steps."""
    merged = [_merge(steps, place) for place in ("outer", "inner", "ambient")]
    merged = [step for step in merged if step is not None]
    connection = session.connection
    async with session.deadline(), connection.pipeline():
        # Their estimates are far too high, and compiling them would take longer than running them.
        await connection.execute("SET LOCAL jit = off")
        asked = [
            (
                step,
                [await connection.execute(query, values) for query, values in _queries(step, paths, catalog)],
            )
            for step in merged
        ]
        await connection.execute("SET LOCAL jit TO DEFAULT")
        answers = [(step, [await cursor.fetchall() for cursor in cursors]) for step, cursors in asked]
    following: list[_Step] = []
    for step, (relations, functions, checks) in answers:
        for row in relations:
            following += _relation(Relation(**row), step.place, catalog)
        for row in functions:
            following += _function(Function(**row), step.place, catalog, paths)
        following += [_Step("ambient", read_code(text)) for row in checks if (text := row["string_agg"])]
    for step in following:
        catalog.settings.update(step.reach.settings)
    return following


def _relation(relation: Relation, place: str, catalog: Catalog) -> list[_Step]:
    known = catalog.relations if place == "outer" else catalog.behind
    before = known.get(relation.oid)
    if before is not None and (before.policies or not relation.policies):
        return []
    known[relation.oid] = relation
    steps = [_Step("ambient", read_code(text)) for text in (relation.policies, relation.checks) if text]
    if relation.generated:
        steps.append(_Step("inner", read_code(relation.generated)))
    if relation.definition:
        definition = _definition(relation)
        catalog.shapes += [f"{relation}: {shape}" for shape in definition.forbidden]
        steps.append(_Step("outer" if place == "outer" else "ambient", definition))
    return steps


def _function(function: Function, place: str, catalog: Catalog, paths: set[str]) -> list[_Step]:
    known = catalog.ambient if place == "ambient" else catalog.functions
    seen = function.oid in known and (place != "inner" or function.oid in catalog.inner)
    known[function.oid] = function
    if place == "inner":
        catalog.inner.add(function.oid)
    if seen:
        return []
    if function.path:
        paths.update(fold(part.strip()) for part in function.path.split(","))
    deeper = "ambient" if place == "ambient" else "inner"
    code = [text for text in (function.body, function.defaults) if text]
    steps = [_Step(deeper, read_code(text)) for text in code]
    if function.checks:
        steps.append(_Step("ambient", read_code(function.checks)))
    return steps


async def _surroundings(session: Session, catalog: Catalog) -> Catalog:
    """Facts that only matter when something is reached that asks for them."""
    everything = [*catalog.relations.values(), *catalog.behind.values()]
    if any(relation.locks > 1 for relation in everything):
        catalog.room = (await session.fetch(ROOM))[0]["room"]
    called = {function.name for function in catalog.functions.values() if function.builtin}
    if "pg_show_all_settings" in called or any(r.name == "pg_settings" and r.system for r in everything):
        rows = await session.fetch(SETTINGS)
        catalog.secrets = tuple(row["name"] for row in rows if holds_secret(row["name"], row["setting"]))
    return catalog


def _merge(steps: list[_Step], place: str) -> _Step | None:
    """All names of one place as one step, or None."""
    here = [step for step in steps if step.place == place]
    if not here:
        return None
    reaches = [step.reach for step in here]
    merged = Reach(
        kind=place,
        relations=frozenset[Name]().union(*(reach.relations for reach in reaches)),
        functions=frozenset[Name]().union(*(reach.functions for reach in reaches)),
        operators=frozenset[Name]().union(*(reach.operators for reach in reaches)),
        types=frozenset[Name]().union(*(reach.types for reach in reaches)),
        fields=frozenset[str]().union(*(reach.fields for reach in reaches)),
    )
    return _Step(place, merged, anywhere=any(step.anywhere for step in here))


def _queries(
    step: _Step, paths: set[str], catalog: Catalog
) -> tuple[tuple[LiteralString, dict[str, Any]], ...]:
    return (
        (RELATIONS if step.reach.relations else NOTHING, _relations(step, paths, catalog)),
        (FUNCTIONS, _functions(step, paths)),
        (TYPES if _types(step.reach) else NOTHING, {"types": _types(step.reach)}),
    )


def _relations(step: _Step, paths: set[str], catalog: Catalog) -> dict[str, Any]:
    # Behind a view or a function other rights apply, and so do policies that the login itself passes by.
    others = step.place != "outer" or bool(catalog.views)
    return {**_pairs(step.reach.relations), "paths": sorted(paths), "others": others}


def _functions(step: _Step, paths: set[str]) -> dict[str, Any]:
    names = step.reach.functions | {Name(None, name) for name in step.reach.fields}
    operators = sorted({name.name for name in step.reach.operators})
    found = {"paths": sorted(paths), "operators": operators, "anywhere": step.anywhere}
    return {**_pairs(names), **found}


def _types(reach: Reach) -> list[str]:
    """`name('x')` and `t.name` may be casts to a type of that name."""
    plain = {name.name for name in reach.types | reach.functions | reach.relations}
    return sorted(plain | reach.fields)


def _pairs(names: frozenset[Name] | set[Name]) -> dict[str, Any]:
    ordered = sorted((name.schema or "", name.name) for name in names)
    return {"schemas": [schema for schema, _ in ordered], "names": [name for _, name in ordered]}


def _definition(relation: Relation) -> Reach:
    (piece,) = parse_script(relation.definition or "", f"the view {relation}")
    return inspect(piece.node)
