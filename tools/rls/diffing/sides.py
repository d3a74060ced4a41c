"""The two sides of a comparison, from words: where a schema comes from, and its snapshot.

target                the connected database
demo                  the Guardian demo
FILE.json             a saved snapshot
FOLDER, REV:FOLDER    SQL migrations, as they lie there or at a git revision, restored in the sandbox
FILE.sql              one dump, restored in the sandbox
postgresql://...      another database (a person's command line only)
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from pydantic import InstanceOf

from tools.database.connection import Database
from tools.errors import InvalidInput, NotFound
from tools.redaction import Redactor
from tools.registry import Facts, Result
from tools.resources import Resources
from tools.review import Gap
from tools.rls.diffing.difference import Difference, difference
from tools.rls.diffing.git import folder_texts, texts_at
from tools.rls.reading import read_snapshot
from tools.rls.saving import load
from tools.rls.snapshot import Snapshot
from tools.sandbox import demo
from tools.sandbox.scratch.copy import Scratch, copy_schema, restore_sql
from tools.sandbox.scratch.restore import Restorer
from tools.sandbox.scratch.session import ScratchSession
from tools.sandbox.scratch.statements import statements
from tools.sandbox.scratch.stopping import in_thread

TARGET: Final = "target"
DEMO: Final = "demo"


class Side(Result):
    """One side. `gaps` are what its copy in the sandbox lacks."""

    name: str
    snapshot: InstanceOf[Snapshot]
    gaps: tuple[tuple[str, str], ...] = ()

    def redacted(self, redactor: Redactor) -> Self:
        """As it is: definitions from the catalog, never a row of the target."""
        return self

    def audit_facts(self) -> Facts:
        """Which state was read."""
        return Facts(target=self.name)

    def markdown(self) -> str:
        """What was read, counted."""
        return f"Snapshot of {self.name}: {len(self.snapshot.relations)} relations."


@dataclass(frozen=True, slots=True)
class Sides:
    """Reads sides. `free`: a person typed them, so that files outside the workspace and URLs are allowed."""

    resources: Resources
    free: bool = False

    async def compare(self, base: str, head: str, migration: str = "") -> Difference:
        """The difference of two sides, or of one before and after a migration file."""
        if migration:
            one, other = await self.around(base, migration)
        else:
            one, other = await self.side(base), await self.side(head)
        found = difference(one.snapshot, other.snapshot, one.name, other.name)
        gaps = [Gap(what=f"{what} (base)", why=why) for what, why in one.gaps]
        gaps += [Gap(what=f"{what} (head)", why=why) for what, why in other.gaps]
        return found.model_copy(update={"not_examined": (*gaps, *found.not_examined)})

    async def side(self, word: str) -> Side:
        """One side from its words. Raises NotFound or InvalidInput for what is no side."""
        if word == TARGET:
            database = self.resources.database
            return Side(name=database.target.label, snapshot=await self._read(database))
        if "://" in word or "dbname=" in word:
            return await self._url(word)
        if word == DEMO:
            return await self._demo()
        if word.endswith(".json"):
            saved = load(self._text(self._path(word)), word)
            taken = saved.taken[:16].replace("T", " ")
            return Side(name=f"{saved.target} of {taken}", snapshot=saved.snapshot)
        return await self._in_scratch(restored(self.resources, self._texts(word)), word)

    async def around(self, base: str, migration: str) -> tuple[Side, Side]:
        """A side, and the same with a migration applied to a copy of it."""
        text = self._text(self._path(migration))
        name = Path(migration).name
        if base in (TARGET, DEMO):
            label = self.resources.database.target.label if base == TARGET else base
            return await in_thread(partial(self._around, copied(self.resources, base), text, label, name))
        texts = self._texts(base)
        if texts and texts[-1] == text:
            texts = texts[:-1]  # the folder holds the migration already
        return await in_thread(partial(self._around, restored(self.resources, texts), text, base, name))

    def _around(
        self, copying: AbstractContextManager[Scratch], text: str, base: str, name: str
    ) -> tuple[Side, Side]:
        with copying as scratch:
            before = asyncio.run(self._snapshot(scratch.dsn))
            apply(scratch, text, name)
            after = asyncio.run(self._snapshot(scratch.dsn))
            one = Side(name=base, snapshot=before, gaps=scratch.gaps)
            return one, Side(name=f"{base} + {name}", snapshot=after)

    async def _in_scratch(self, copying: AbstractContextManager[Scratch], name: str) -> Side:
        def read() -> Side:
            with copying as scratch:
                found = asyncio.run(self._snapshot(scratch.dsn))
                return Side(name=name, snapshot=found, gaps=scratch.gaps)

        return await in_thread(read)

    async def _demo(self) -> Side:
        def read() -> Side:
            with self.resources.sandbox() as cluster:
                return Side(name=DEMO, snapshot=asyncio.run(self._snapshot(demo.ensure(cluster))))

        return await in_thread(read)

    async def _url(self, url: str) -> Side:
        if not self.free:
            hint = "A person can compare another database with `sergei rls diff URL`."
            raise InvalidInput("A database URL is no side here.", hint=hint)
        database = Database(url)
        try:
            return Side(name=database.target.label, snapshot=await self._read(database))
        finally:
            await database.close()

    async def _snapshot(self, dsn: str) -> Snapshot:
        database = Database(dsn, environment="sandbox")
        try:
            return await self._read(database)
        finally:
            await database.close()

    async def _read(self, database: Database) -> Snapshot:
        return await read_snapshot(database, self.resources.exposed_schemas)

    def _texts(self, word: str) -> list[str]:
        """The SQL of a folder, a folder at a revision, or a file."""
        revision, mark, place = word.partition(":")
        if mark and place:
            return texts_at(revision, self._path(place, exists=False), self._environment())
        path = self._path(word)
        return folder_texts(path) if path.is_dir() else [self._text(path)]

    def _path(self, word: str, *, exists: bool = True) -> Path:
        path = Path(word).expanduser() if self.free else self.resources.workspace.resolve(word)
        if exists and not path.exists():
            sides = "target, demo, FILE.json, FILE.sql, FOLDER or REV:FOLDER"
            raise NotFound(f"{word} is no file or folder.", hint=f"A side is {sides}.")
        return path

    def _text(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise InvalidInput(f"{path} cannot be read as UTF-8 text.") from None

    def _environment(self) -> Mapping[str, str]:
        return self.resources.workspace.environment


@contextmanager
def restored(resources: Resources, texts: list[str]) -> Generator[Scratch]:
    """SQL texts in a scratch database of the sandbox. Their rows are of no use here."""
    with (
        resources.sandbox() as cluster,
        restore_sql(cluster, texts, name_prefix="diff", rows=False) as scratch,
    ):
        yield scratch


@contextmanager
def copied(resources: Resources, base: str) -> Generator[Scratch]:
    """The schema of the target or the demo in a scratch database."""
    with resources.sandbox() as cluster:
        dsn = resources.database.conninfo if base == TARGET else demo.ensure(cluster)
        with copy_schema(cluster, dsn, name_prefix="diff") as scratch:
            yield scratch


def apply(scratch: Scratch, text: str, name: str) -> None:
    """Run a migration. Raises InvalidInput with the first statement that fails."""
    with ScratchSession(scratch.dsn) as session:
        restorer = Restorer(session, None, scratch.admin)
        known = len(restorer.gaps)
        restorer.settle()
        restorer.again(restorer.run(statements(text, rows=False)))
        if len(restorer.gaps) > known:
            what, why = restorer.gaps[known]
            raise InvalidInput(f"{name} does not apply: {what}: {why}.")
