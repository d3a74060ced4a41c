"""The oracle for one case: plants a change in a copy, asks everybody, and compares with the clean answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.rls.case import Case
from benchmarks.rls.catalog import Catalog, read
from benchmarks.rls.mutant import Mutant
from benchmarks.rls.oracle.observe import DRIVER, Answers, Asked, Gain, differences, gains
from benchmarks.rls.oracle.world import Known, look
from tools.sandbox.cluster import Cluster

HERE: Final = Path(__file__).parent
Ask = Callable[[Asked], Answers]
STRICT: Final = frozenset(
    {"for_all", "grant_widened", "trigger_dropped", "trigger_disabled", "check_weaker_than_using"}
)
"""Operators that also widen what insiders do with their own rows: that alone is no leak."""


@dataclass(slots=True)
class Judge:
    """Clean answers are asked once and kept."""

    case: Case
    cluster: Cluster
    clean: dict[str, Answers] = field(default_factory=dict[str, Answers])
    known: dict[str, Known] = field(default_factory=dict[str, Known])
    asked_for: frozenset[str] = frozenset()
    parts: Catalog | None = None

    def template(self) -> str:
        """The clean schema with the oracle's world and driver."""
        worlds = [path.read_text() for path in sorted((HERE / self.case.name).glob("world*.sql"))]
        key = sha256("\0".join([self.case.key, DRIVER.read_text(), *worlds]).encode()).hexdigest()
        return self.cluster.template(f"bench_world_{self.case.name}", self._fill, key=key)

    def _fill(self, dsn: str) -> None:
        self.case.build(dsn)
        with psycopg.connect(dsn, autocommit=True) as connection:
            self.case.world(connection)
            connection.execute(DRIVER.read_bytes())

    @contextmanager
    def copy(self, text: str = "", rows: str = "") -> Generator[Asked]:
        """A copy with a change planted, ready to be asked."""
        with (
            self.cluster.scratch("bench", template=self.template()) as dsn,
            psycopg.connect(dsn, autocommit=True) as connection,
        ):
            if not self.known:
                self.known = look(connection, self.case)
            with connection.transaction():
                for part in (text, rows):
                    if part:
                        connection.execute(part.encode())
            yield Asked(self.case, connection, self.case.actors(connection), dict(self.known))

    def catalog(self) -> Catalog:
        """The parts of the clean schema that operators change."""
        if self.parts is None:
            with self.copy() as asked:
                self.parts = read(asked.connection, self.case)
        return self.parts

    def gains(self, mutant: Mutant) -> list[Gain]:
        """What somebody gains by a mutant, at the first place where anybody does.

        psycopg.Error means that it cannot be planted.
        """
        with self.copy(mutant.sql, mutant.rows) as asked:
            for title in mutant.look:
                if title not in asked.known:  # the mutant made it: nobody had anything of it before
                    asked.known = {**asked.known, **look(asked.connection, self.case, [title])}
                    found = gains({}, asked.ask(title))
                else:
                    found = gains(self._clean(title, lambda one, t=title: one.ask(t)), asked.ask(title))
                found = self._grave(mutant, found)
                if found:
                    return found
            for key, ask, ask_all in self._further(mutant):
                found = gains(self._clean(key, ask_all), ask(asked))
                if found:
                    return found
        return []

    def changes(self, rewrite: Mutant) -> list[tuple[str, str, str, str]]:
        """Every answer that a rewrite changes: of its relations, of those that reach them, of functions."""
        reached = set(rewrite.look)
        for title in rewrite.look:
            reached |= set(self.catalog().users(title.partition(".")[2], limit=len(self.known)))
        with self.copy(rewrite.sql, rewrite.rows) as asked:
            found = differences(self._clean("functions", Asked.ask_functions), asked.ask_functions())
            for title in sorted(reached & self.known.keys()):
                writes = title in rewrite.look

                def ask(one: Asked, title: str = title, writes: bool = writes) -> Answers:
                    return one.ask(title, writes=writes)

                found += differences(self._clean(title if writes else f"read {title}", ask), ask(asked))
        return found

    def _grave(self, mutant: Mutant, found: list[Gain]) -> list[Gain]:
        """The gains that reach another person's record, or what opens one."""
        if mutant.operator not in STRICT:
            return found
        return [gain for gain in found if self._crosses(gain)]

    def _crosses(self, gain: Gain) -> bool:
        command, _, rest = gain.probe.partition(" ")
        if command not in ("insert", "update", "delete"):
            return True
        title = next((t for t in self.known if rest.startswith((f"{t} ", f"{t}.")) or rest == t), "")
        done = any(
            actor == gain.actor and key.startswith(f"{command} {title}") and answer[:1] not in ("", "0", "!")
            for (actor, key), answer in self.clean.get(title, {}).items()
        )
        if not done:
            return True  # who never did such a thing does it now
        column = rest.removeprefix(f"{title}.").split(" ")[0] if command == "update" else ""
        facts = next((c for c in self.known[title].columns if c.name == column), None)
        if facts is None:
            return False
        moved = column == self.case.column or facts.target in (*self.case.anchors, *self.case.accounts)
        return moved or (title in self.case.trusted and self._decides(column))

    def _decides(self, column: str) -> bool:
        """Whether some helper or policy asks for a column."""
        if not self.asked_for:
            catalog = self.catalog()
            texts = [f.body for f in catalog.functions if f.returns != "trigger"]
            texts += [v.definition for v in catalog.views] + [f"{p.using}" for p in catalog.policies]
            self.asked_for = frozenset(re.findall(r"\w+", " ".join(texts)))
        return column in self.asked_for

    def _further(self, mutant: Mutant) -> Iterator[tuple[str, Ask, Ask]]:
        """What else is asked of a mutant: a key, how it is asked, and how the clean schema is."""
        reads = [title for title in mutant.look if title in self.known]
        if mutant.functions:
            yield "functions", lambda one: one.ask_functions(mutant.functions), Asked.ask_functions
        for chain in mutant.chains:

            def after(one: Asked, chain: str = chain) -> Answers:
                return one.ask_after(chain, reads)

            yield f"{chain} {' '.join(reads)}", after, after
        others = [title for title in dict.fromkeys([*mutant.look, *self.case.reach]) if title in self.known]
        for through in mutant.through:

            def then(one: Asked, through: str = through) -> Answers:
                return one.ask_then(through, others)

            yield f"then {through} {' '.join(others)}", then, then

    def _clean(self, key: str, ask: Ask) -> Answers:
        if key not in self.clean:
            with self.copy() as asked:
                self.clean[key] = ask(asked)
        return self.clean[key]
