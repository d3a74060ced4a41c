"""Run a schema's statements in a scratch database: in large batches, alone where a batch fails, again where
something was missing, and with a reason where nothing helps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from psycopg import sql

from tools.sandbox.scratch import standins
from tools.sandbox.scratch.admin import IN_BLOCK, ROLE_STATEMENT, Admin
from tools.sandbox.scratch.dump import Entry
from tools.sandbox.scratch.session import ScratchSession, SqlFailure
from tools.sandbox.scratch.source import Routine, Source
from tools.sandbox.scratch.statements import pieces

BATCH: Final = 120
ROUNDS: Final = 6
SKIPPED: Final = {
    "EVENT TRIGGER": "event triggers are not copied",
    "FOREIGN DATA WRAPPER": "the copy has no foreign servers",
    "SERVER": "the copy has no foreign servers",
    "USER MAPPING": "the copy has no foreign servers",
    "FOREIGN TABLE": "the copy has no foreign servers",
    "SUBSCRIPTION": "subscriptions are not copied",
}
SKIPPED_GAPS: Final = ("FOREIGN TABLE",)
"""Of these kinds, what people read through: the others decide nothing about access."""
ABSENT: Final = ("42883", "42P01", "42704", "3F000")
SILENT: Final = ("COMMENT",)
BESIDE: Final = (
    "INDEX",
    "INDEX ATTACH",
    "EXTENSION",
    "STATISTICS",
    "TEXT SEARCH CONFIGURATION",
    "OPERATOR CLASS",
)
"""Kinds whose absence changes what is fast or searchable, and not who may see what."""
_EXTENSION: Final = re.compile(
    r'create\s+extension\s+(?:if\s+not\s+exists\s+)?"?(?P<name>[\w-]+)"?'
    r'(?:\s+with)?(?:\s+schema\s+"?(?P<schema>\w+)"?)?',
    re.I,
)
_DROP_EXTENSION: Final = re.compile(
    r'drop\s+extension\s+(?:if\s+exists\s+)?"?([\w-]+)"?\s*(?:cascade|restrict)?\s*;?\s*\Z', re.I
)
_EXTENSION_COMMENT: Final = re.compile(r"comment\s+on\s+extension\b", re.I)
_PUBLISH_ALL: Final = re.compile(r'create\s+publication\s+"?(\w+)"?\s+for\s+all\s+tables\b', re.I)
_OWNED: Final = re.compile(r'\sowner\s+to\s+("[^"]+"|\w+)\s*;?\s*\Z', re.I)
_OF_ROLES: Final = re.compile(r"permission denied to (?:create|alter|drop|grant|revoke) role|must have admin")
_LEAKPROOF: Final = re.compile(r"(?<!not )\bleakproof\b", re.I)
_DENIED_SCHEMA: Final = re.compile(r"permission denied for schema (\S+)")
_MISSING_TYPE: Final = re.compile(r'type "([^"]+)" does not exist')
_MISSING_ROLE: Final = re.compile(r'role "([^"]+)" does not exist')
_MISSING_SCHEMA: Final = re.compile(r'schema "([^"]+)" does not exist')
_MISSING_FUNCTION: Final = re.compile(r"function ([\w.\"]+)\((.*)\) does not exist")
_THERE: Final = ("42P06", "42710")


class Restorer:
    """Runs entries as the copy's login and gathers what is missing. `admin` does what that login may not."""

    def __init__(self, session: ScratchSession, source: Source | None, admin: Admin) -> None:
        self.session = session
        self.source = source
        self.admin = admin
        self.gaps = admin.gaps
        self.notes = admin.notes
        self.waiting: list[tuple[Entry, SqlFailure]] = []
        self._tried: set[str] = set()
        self._lent: set[tuple[str, str]] = set()

    def settle(self) -> None:
        """Settings under which a schema is restored, whatever a file set before."""
        self.session.script(
            "reset role; reset all; set check_function_bodies = off; set client_min_messages = error;"
            " set row_security = off; set statement_timeout = 0"
        )
        self.session.commit()

    def install(self, entries: Sequence[Entry]) -> None:
        """Extensions come first, while nothing of the schema is there that their scripts could meet."""
        for entry in entries:
            if extension := _extension_of(entry):
                self.admin.install(extension["name"], extension["schema"] or "")

    def run(self, entries: Sequence[Entry]) -> list[tuple[Entry, SqlFailure]]:
        """Run all in order; gives what failed."""
        failed: list[tuple[Entry, SqlFailure]] = []
        batch: list[Entry] = []
        for entry in entries:
            if entry.kind in SKIPPED:
                self._skip(entry)
                continue
            if entry.kind == "COMMENT" and _EXTENSION_COMMENT.match(entry.text):
                continue  # the superuser's, like the extension
            entry = self.admin.inherited(entry)
            aside = self._aside(entry)
            if aside is None:
                batch.append(entry)
            if aside or len(batch) >= BATCH:
                failed += self._batch(batch)
                batch = []
            if aside:
                aside()
        failed += self._batch(batch)
        self._take_back()
        return failed

    def _aside(self, entry: Entry) -> Callable[[], None] | None:
        """What is done in place of an entry that the login may not run."""
        text = entry.text
        if extension := _extension_of(entry):
            return lambda: self._extension(extension["name"], extension["schema"] or "")
        if dropped := _DROP_EXTENSION.match(text):
            return lambda: self.admin.drop_extension(dropped[1])
        if ROLE_STATEMENT.match(text) and len(parts := pieces(text)) == 1:
            return lambda: self.admin.run_role_statement(parts[0])
        if published := _PUBLISH_ALL.match(text):
            return lambda: self.admin.publish_all(published[1])
        return None

    def _skip(self, entry: Entry) -> None:
        reason = SKIPPED[entry.kind]
        if entry.kind in SKIPPED_GAPS:
            self.gaps.append((entry.label, reason))
        else:
            self.notes.append(f"{entry.label} is missing: {reason}")

    def again(self, failed: Sequence[tuple[Entry, SqlFailure]]) -> None:
        """Try failures again while one of them succeeds, and report the rest."""
        waiting = list(failed)
        for _ in range(ROUNDS):
            left = self._batch_alone([entry for entry, _ in waiting if _may_wait(entry)])
            final = [item for item in waiting if not _may_wait(item[0])]
            done = len(left) + len(final) < len(waiting)
            waiting = left + final
            if not done and not self._make_schemas(failure for _, failure in waiting):
                break
        for entry, failure in waiting:
            self._report(entry, failure)
        self._take_back()

    def _lend(self, entries: Sequence[Entry]) -> None:
        """New owners must be allowed to create in the schema. Before privileges are set, all is as it was."""
        if any(entry.kind in ("ACL", "GRANT", "REVOKE") for entry in entries):
            self._take_back()
        for entry in entries:
            owner = _OWNED.search(entry.text) if entry.schema not in ("", "-") else None
            if owner and owner[1].strip('"') != self.admin.owner:
                self._lend_one(entry.schema, owner[1].strip('"'))

    def _lend_one(self, schema: str, role: str) -> bool:
        lent = (schema, role) not in self._lent and self.admin.lend(schema, role)
        if lent:
            self._lent.add((schema, role))
        return lent

    def _take_back(self) -> None:
        for schema, role in self._lent:
            self.admin.take_back(schema, role)
        self._lent.clear()

    def _make_schemas(self, failures: Iterable[SqlFailure]) -> bool:
        """Schemas that no file makes: whoever runs these migrations made them before."""
        missing = {found[1] for item in failures if (found := _MISSING_SCHEMA.search(item.message))}
        for name in sorted(missing if self.source is None else ()):
            self.session.run(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
            self.notes.append(f"schema {name} is made by no file and was created")
        self.session.commit()
        return bool(missing) and self.source is None

    def _report(self, entry: Entry, failure: SqlFailure) -> None:
        reason = f"{failure.message} ({failure.sqlstate})"
        if entry.kind in SILENT or (failure.sqlstate in _THERE and entry.kind in ("SCHEMA", "PUBLICATION")):
            return
        # A grant on what is not there opens nothing, and the missing object is reported itself.
        vain = entry.kind in ("ACL", "GRANT") and failure.sqlstate in ABSENT
        if entry.kind in BESIDE or vain:
            self.notes.append(f"{entry.label} is missing: {reason}")
        elif (entry.label, reason) not in self.gaps:
            self.gaps.append((entry.label, reason))

    def _batch(self, entries: Sequence[Entry]) -> list[tuple[Entry, SqlFailure]]:
        """Run a batch as one transaction; halve it where it fails, so that few are run alone."""
        self._lend(entries)
        if len(entries) <= 1:
            return self._batch_alone(entries)
        try:
            self.session.script(";\n".join(entry.text for entry in entries))
            self.session.commit()
        except SqlFailure:
            self.session.rollback()
            half = len(entries) // 2
            return self._batch(entries[:half]) + self._batch(entries[half:])
        return []

    def _batch_alone(self, entries: Sequence[Entry]) -> list[tuple[Entry, SqlFailure]]:
        failed: list[tuple[Entry, SqlFailure]] = []
        for entry in entries:
            failure = self._alone(entry.text)
            if failure is None:
                continue
            parts = pieces(entry.text)
            if len(parts) > 1:
                alone = [Entry(entry.kind, entry.schema, entry.name, part) for part in parts]
                failed += self._batch_alone(alone)
            else:
                failed.append((entry, failure))
        return failed

    def _alone(self, text: str) -> SqlFailure | None:
        """Run one entry, mending what can be mended."""
        failure: SqlFailure | None = None
        for _ in range(12):
            try:
                self.session.script(text)
                self.session.commit()
            except SqlFailure as error:
                self.session.rollback()
                failure = error
                mended = self._mended(text, failure)
                if mended is None:
                    return failure
                text = mended
            else:
                return None
        return failure

    def _mended(self, text: str, failure: SqlFailure) -> str | None:
        """The statement to run next, after making what it lacks; None where that is not known."""
        shorter = standins.without_modifier(text, failure.message) or self._permitted(text, failure)
        if shorter is not None:
            return shorter
        if failure.message in self._tried:
            return None
        self._tried.add(failure.message)
        try:
            made = self._make_missing(failure.message)
            self.session.commit()
        except SqlFailure:
            self.session.rollback()
            return None
        return text if made else None

    def _permitted(self, text: str, failure: SqlFailure) -> str | None:
        """The statement to run once `admin` has done what only a superuser may; None where it cannot."""
        if failure.sqlstate != "42501":
            return None
        if _OF_ROLES.search(failure.message) and text[:2].lower() == "do":
            statements = IN_BLOCK.findall(text)
            for statement in statements:
                self.admin.run_role_statement(statement)
            return IN_BLOCK.sub("null;", text) if statements else None
        if "leakproof" in failure.message:
            self.notes.append(f"{' '.join(text.split())[:60]} ...: it is not LEAKPROOF here")
            changed = _LEAKPROOF.sub("", text)
            return changed if changed != text else None
        denied = _DENIED_SCHEMA.search(failure.message)
        owner = _OWNED.search(text)
        return text if denied and owner and self._lend_one(denied[1], owner[1].strip('"')) else None

    def _make_missing(self, message: str) -> bool:
        if found := _MISSING_ROLE.search(message):
            if not self.admin.create_role(found[1]):
                return False
            self.notes.append(f"role {found[1]} did not exist and was created without attributes")
            return True
        if found := _MISSING_TYPE.search(message):
            return self._missing_type(found[1])
        if found := _MISSING_FUNCTION.search(message):
            return self._missing_function(found[1].replace('"', ""), found[2])
        return False

    def _missing_type(self, name: str) -> bool:
        bare = name.removesuffix("[]")
        types = dict(self.source.types) if self.source else {}
        extension = types.get(bare) or standins.type_extension(bare)
        if extension is None:
            return False
        standins.make_type(self.session, bare if "." in bare else f"public.{bare}")
        self.notes.append(f"type {bare} of the extension {extension} is missing here and became text")
        return True

    def _missing_function(self, name: str, arguments: str) -> bool:
        schema, _, bare = name.rpartition(".")
        routines = [
            item
            for item in (self.source.routines if self.source else ())
            if item.name == bare and schema in ("", item.schema)
        ]
        known = standins.FUNCTIONS.get(bare, ())
        routines += [Routine(schema, bare, arguments, result) for arguments, result in known if not routines]
        for routine in routines:
            standins.make_function(self.session, routine)
        if routines:
            self.gaps.append(
                (f"function {name}({arguments})", "its extension is missing here; it gives NULL")
            )
        return bool(routines)

    def _extension(self, name: str, schema: str) -> None:
        if name == "plpgsql":
            return
        place = f' with schema "{schema}"' if schema and schema != "pg_catalog" else ""
        make = f'create schema if not exists "{schema}"; ' if place else ""
        if name in self.admin.installed:
            return
        if self.admin.may_install(name):  # trusted ones: the login installs them itself
            failure = self._alone(f'{make}create extension if not exists "{name}"{place} cascade')
            if failure is not None:
                self.notes.append(f"extension {name} is missing: {failure.message}")
            return
        try:
            self.session.script(make) if make else None
            became = standins.make_stand_ins(self.session, name, schema or "public", self.source)
            self.session.commit()
        except SqlFailure:
            self.session.rollback()  # its stand-ins are there: the file names the extension twice
            return
        if name != "uuid-ossp":
            barred = name in self.admin.available
            why = "reaches beyond a copy and is not installed" if barred else "is not part of this server"
            self.notes.append(f"extension {name} {why}" + (f": {became}" if became else ""))


def _extension_of(entry: Entry) -> re.Match[str] | None:
    return _EXTENSION.match(entry.text) if "xtension" in entry.text.lower()[:40] else None


def _may_wait(entry: Entry) -> bool:
    """Whether running it later than its place is harmless: it makes something, and takes nothing away."""
    return not re.match(r"\s*(drop|delete|update|truncate|revoke)\b", entry.text, re.I)
