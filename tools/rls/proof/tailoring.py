"""Writes made to measure, for commands that nobody got through: rows with the values that conditions want.

A refusal proves something only where somebody gets through. So for every alternative of a policy a few
recipes are tried, first by those who have to do with the rows; what works for one of them, all try.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tools.rls.objects import Policy, Relation
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.fitting import Fitting
from tools.rls.proof.model import Kind, Model
from tools.rls.proof.probing import Outcome
from tools.rls.proof.side import Side
from tools.rls.proof.storage import OBJECTS
from tools.rls.proof.tactics import Tactics
from tools.rls.proof.wants import Want, Wants, unmet
from tools.rls.proof.world import World, WorldRow, named, quoted
from tools.rls.proof.writing import Write, alive, insert_statement, people, update, where_key

RECIPES: Final = 16
"""How many are tried for one alternative."""
CHOICES: Final = 6
"""Values of one column that are tried."""
WANTS: Final = 8
STARTS: Final = 2
"""Own rows of one actor that he tries to change again."""
KINDS: Final = 3
"""Old rows of one record and standing that an update is tried on, where what is asked of them differs."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to meet a want: which of the values of a column is taken, or that it is left alone."""

    relation: Relation
    command: str
    want: Want
    chosen: Mapping[str, int] = field(default_factory=dict[str, int])
    without: str = ""


def unproven(
    world: World, tried: Iterable[tuple[str, str]], worked: Mapping[tuple[str, str], int]
) -> list[tuple[str, str]]:
    """Tables and commands that policies allow to somebody, and that nobody got through; INSERT first."""
    found: list[tuple[str, str]] = []
    for title, command in sorted(tried, key=lambda one: (one[1] != "INSERT", one)):
        belonging, relation = world.model.tables.get(title), world.snapshot.relations.get(title)
        if (
            belonging is None
            or relation is None
            or worked.get((title, command))
            or command in ("SELECT", "CALL")
        ):
            continue
        policies = [p for p in relation.policies if p.permissive and p.covers(command)]
        closed = all(_closed(policy, command) for policy in policies)
        if belonging.kind in (Kind.SCOPED, Kind.OWN) and relation.rls and not closed:
            found.append((title, command))
    return found


def _closed(policy: Policy, command: str) -> bool:
    """Whether a policy says that nobody may: `with check (false)`."""
    old = policy.using_text if command != "INSERT" else None
    new = (policy.check_text or policy.using_text) if command != "DELETE" else None
    return any((text or "").strip("() ").lower() == "false" for text in (old, new))


@dataclass(eq=False)
class Tailoring:
    """Makes the writes of one world's actors to measure."""

    tactics: Tactics
    wants: Wants
    fitting: Fitting
    done: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Actors' statements that were made before."""

    @classmethod
    def of(cls, tactics: Tactics) -> Tailoring:
        """For the actors of these tactics."""
        return cls(
            tactics,
            Wants(tactics.world.snapshot),
            Fitting(tactics.world, tactics.standings, tactics.templates),
        )

    @property
    def model(self) -> Model:
        """The model of the world."""
        return self.tactics.world.model

    def recipes(self, title: str, command: str) -> Iterator[list[Recipe]]:
        """For each alternative its recipes, the plainest first."""
        relation = self.tactics.world.snapshot.relations[title]
        if title == OBJECTS:
            return  # storage.py lays out paths by itself
        for want in self.wants.of(relation, command)[:WANTS]:
            plain = Recipe(relation, command, want)
            columns = (
                [name for name in want.columns if name in relation.columns] if command != "DELETE" else []
            )
            turned = [
                Recipe(relation, command, want, {name: number})
                for number in range(1, CHOICES)
                for name in columns
                if number < self.fitting.most(relation, want, name)
            ]
            left = [Recipe(relation, command, want, without=name) for name in columns]
            yield [plain, *turned, *left][:RECIPES]

    def hopeful(self, recipe: Recipe) -> Iterator[tuple[Actor, list[Write]]]:
        """Those who have to do with the rows."""
        for actor in self.tactics.world.actors:
            if actor in self.tactics.leading:
                yield (
                    actor,
                    [
                        w
                        for w in self._writes(recipe, actor, 1)
                        if self._concerns(actor, w) and self._new(actor, w)
                    ],
                )

    def everybody(self, recipe: Recipe) -> Iterator[tuple[Actor, list[Write]]]:
        """Every leading actor, on the rows of both families; without naming a row, too."""
        for actor in self.tactics.world.actors:
            if actor in self.tactics.leading:
                every = list(self._writes(recipe, actor, 2))
                if actor.name in self.tactics.blind_actors:
                    every += [self._blindly(write) for write in every if write.changed and write.before]
                yield actor, [write for write in every if self._new(actor, write)]

    def _blindly(self, write: Write) -> Write:
        """The same UPDATE of whatever there is: with WHERE, a row must be visible as well to be changed."""
        row = write.before or WorldRow(write.table, "", {})
        after = write.after or row
        same = [
            f"{quoted(name)} is not distinct from {literal(after.values.get(name))}"
            for name in sorted(write.changed)
        ]
        at = where_key(self.tactics.world.snapshot.relations[write.table], row)
        witness = f"select to_jsonb(1) from {named(write.table)} where {' and '.join([at, *same])}"
        return replace(write, sql=write.sql.partition(" where ")[0], witness=witness)

    def _concerns(self, actor: Actor, write: Write) -> bool:
        row = write.before or write.after
        return row is not None and (bool(actor.staff) or self.tactics.own(actor, row))

    def _new(self, actor: Actor, write: Write) -> bool:
        known = (actor.name, write.sql) in self.done
        self.done.add((actor.name, write.sql))
        return not known

    def _writes(self, recipe: Recipe, actor: Actor, sides: int) -> Iterator[Write]:
        if recipe.command not in self.tactics.may(actor, recipe.relation):
            return
        if recipe.command == "INSERT":
            for side in self.tactics.world.sides[:sides]:
                yield from self._inserts(recipe, actor, side)
            return
        for row in self._rows(recipe, actor):
            if recipe.command == "DELETE":
                sql = f"delete from {named(row.table)} where {where_key(recipe.relation, row)}"
                yield Write("delete", "DELETE", row.table, sql, row, None)
            else:
                yield from self._updates(recipe, actor, row)

    # -- rows of the own making --------------------------------------------------------------

    def starts(
        self, title: str, permitted: Mapping[Actor, Sequence[Outcome]], writes: Mapping[str, Write]
    ) -> Iterator[tuple[Actor, Write]]:
        """A permitted INSERT of each actor: where only who wrote a row may change it."""
        for actor, outcomes in permitted.items():
            made = (writes.get(outcome.attempt.statement) for outcome in outcomes)
            mine = [one for one in made if one is not None and (one.table, one.purpose) == (title, "insert")]
            if actor in self.tactics.leading:
                yield from ((actor, one) for one in mine[:STARTS])

    def own(self, first: Write, command: str, actor: Actor) -> list[Write]:
        """What an actor does with the row that he has just written."""
        relation, row = self.tactics.world.snapshot.relations[first.table], first.after
        if row is None:
            return []
        if command == "DELETE":
            sql = f"delete from {named(row.table)} where {where_key(relation, row)}"
            return [Write("delete", "DELETE", row.table, sql, row, None)]
        found: dict[str, Write] = {}
        for recipes in self.recipes(first.table, command):
            for recipe in recipes:
                found |= {write.sql: write for write in self._updates(recipe, actor, row)}
        found |= {write.sql: write for write in self.fitting.touch(relation, row, actor)}
        return list(found.values())[:RECIPES]

    # -- new rows ------------------------------------------------------------------------

    def _inserts(self, recipe: Recipe, actor: Actor, side: Side) -> Iterator[Write]:
        world, templates = self.tactics.world, self.tactics.templates
        belonging = self.model.tables[recipe.relation.title]
        title = belonging.table
        for plain in templates.rows(side, belonging)[:1]:
            wanted = {**self._plainly(recipe, plain), **self.fitting.parents(recipe.want, plain, side)}
            differing = {name: value for name, value in wanted.items() if plain.values.get(name) != value}
            made = templates.rows(side, belonging, differing) if differing else [plain]
            for row in made or [WorldRow(title, "", {**plain.values, **differing})]:
                for said in people(belonging, actor):
                    values = {**row.values, **said}
                    values |= self._personally(recipe, WorldRow(title, "", values), actor, side)
                    sql = insert_statement(world, recipe.relation, actor, values, templates.shapes_generated)
                    if sql:
                        after = WorldRow(title, "", values)
                        yield Write(
                            "insert",
                            "INSERT",
                            title,
                            sql,
                            None,
                            after,
                            living=alive(self.model, title, values),
                        )

    def _plainly(self, recipe: Recipe, row: WorldRow) -> dict[str, str | None]:
        """Wanted values that are the same for every actor."""
        found: dict[str, str | None] = {}
        for name in dict.fromkeys(test.ref.column for test in recipe.want.tests):
            values = self.fitting.tested(recipe.relation, recipe.want, name, row)
            number = recipe.chosen.get(name, 0)
            if name != recipe.without and number < len(values) and self._free(recipe, name):
                found[name] = values[number]
        return found

    def _personally(self, recipe: Recipe, row: WorldRow, actor: Actor, side: Side) -> dict[str, str | None]:
        """Wanted values that depend on who writes, and on the rest of the row."""
        found: dict[str, str | None] = {}
        for name in recipe.want.columns:
            values = self.fitting.personal(recipe.relation, recipe.want, name, row, actor, side)
            number = recipe.chosen.get(name, 0)
            if name != recipe.without and number < len(values) and self._free(recipe, name):
                found[name] = values[number]
        return found

    def _free(self, recipe: Recipe, column: str) -> bool:
        """Whether a column does not say which record the row belongs to: that is the attack's to choose."""
        belonging = self.model.tables[recipe.relation.title]
        known = column in recipe.relation.columns
        return known and all(column not in hop.columns for hops in belonging.paths for hop in hops[:1])

    # -- old rows ------------------------------------------------------------------------

    def _updates(self, recipe: Recipe, actor: Actor, row: WorldRow) -> Iterator[Write]:
        world = self.tactics.world
        role = world.snapshot.roles[actor.role]
        side = self._side(row)
        wanted = {**self._plainly(recipe, row), **self._personally(recipe, row, actor, side)}
        changes = {
            name: value
            for name, value in wanted.items()
            if row.values.get(name) != value
            and world.snapshot.may_column(role, recipe.relation, name, "UPDATE")
        }
        if changes:
            fitted = {
                name: value
                for name, value in self.fitting.completed(recipe.relation, row, changes).items()
                if self._free(recipe, name)
                and world.snapshot.may_column(role, recipe.relation, name, "UPDATE")
            }
            yield from update(world, actor, row, {**fitted, **changes}, "raise")
            return
        yield from self.fitting.touch(recipe.relation, row, actor)

    def _side(self, row: WorldRow) -> Side:
        """The family that a row belongs to."""
        records = {key for _, key in self.tactics.standings.scopes(row)}
        for side in self.tactics.world.sides:
            if records & {one.values.get(self.model.anchors[t].key) for t, one in side.records.items()}:
                return side
        return self.tactics.world.sides[0]

    def _rows(self, recipe: Recipe, actor: Actor) -> list[WorldRow]:
        """Rows of each kind, those first that meet what is asked of them; differing in what is asked."""
        asked = list(dict.fromkeys(test.ref.column for test in recipe.want.before))
        every = sorted(
            self.tactics.world.rows.get(recipe.relation.title, ()),
            key=lambda row: len(unmet(recipe.want.before, dict(row.values))),
        )
        distinct: dict[tuple[object, ...], WorldRow] = {}
        for row in every:
            mark = (self.tactics.standings.scopes(row), row.key(asked))
            distinct.setdefault((self.tactics.standings.standing(actor, row), *mark), row)
        return self.tactics.sample(actor, list(distinct.values()), KINDS)
