"""What a schema needs a superuser for, done for it with statements of ours: roles, extensions, publications.

Nothing of a schema's text runs here. Names and a few options are taken out of its statements, and only what
stays within the copy is done: roles that the copy brings, which are dropped with it, and extensions that open
no connection and no file.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

import postgast
from psycopg import sql

from tools.sandbox.scratch.confine import LOCK, STAND_IN, UNSAFE, join
from tools.sandbox.scratch.dump import Entry
from tools.sandbox.scratch.session import ScratchSession, SqlFailure

ROLE_STATEMENT: Final = re.compile(
    r"\s*(?:(?:create|alter|drop)\s+(?:role|user|group)\b(?!\s+mapping)|(?:grant|revoke)\b(?!.*\bon\b))",
    re.I | re.S,
)
IN_BLOCK: Final = re.compile(
    r"(?<![\w'])(?:(?:create|alter|drop)\s+(?:role|user)\s+[^;'$]*(?:'[^']*'[^;'$]*)*"
    r"|(?:grant|revoke)\s+(?:(?!\bon\b)[^;'$])*);",
    re.I,
)
"""Statements about roles that a DO block runs as they stand."""
HARMLESS: Final = frozenset(
    {
        "address_standardizer", "autoinc", "bloom", "dict_xsyn", "earthdistance", "hypopg", "index_advisor",
        "insert_username", "intagg", "moddatetime", "pg_graphql", "pg_hashids", "pg_idkit", "pg_jsonschema",
        "pg_stat_statements", "pg_uuidv7", "pgjwt", "pgroonga", "pgrouting", "pgsodium", "pgtap",
        "plpgsql_check", "postgis", "postgis_topology", "refint", "rum", "timescaledb",
    }
)  # fmt: skip
"""Extensions that PostgreSQL does not mark as trusted and that reach no file and no network."""
_AVAILABLE: Final = """
select e.name, coalesce(bool_or(v.trusted), false)
from pg_catalog.pg_available_extensions e
left join pg_catalog.pg_available_extension_versions v on v.name = e.name group by 1
"""
_POWERS: Final = ("superuser", "createrole", "createdb", "isreplication")
_ROLE_KINDS: Final = ("create_role_stmt", "alter_role_stmt", "alter_role_set_stmt", "drop_role_stmt")


class Admin:
    """A superuser's session on a copy. `made` are the roles that go with it, `notes` what was left undone."""

    def __init__(self, session: ScratchSession, owner: str, login: str, made: list[str]) -> None:
        self.session = session
        self.owner = owner
        self.login = login
        self.made = made
        self.installed: set[str] = set()
        self.gaps: list[tuple[str, str]] = []
        self.notes: list[str] = []
        session.script("set lock_timeout = '20s'")  # the copy's own session must never wait for this one
        self.unsafe = frozenset(name for (name,) in session.rows(UNSAFE))
        names = "|".join(re.escape(name) for name in self.unsafe)
        self._owners = re.compile(
            rf'(\b(?:owner\s+to|authorization|for\s+(?:role|user))\s+)(?:(?:{names})(?![\w$])|"(?:{names})")',
            re.I,
        )
        self.available: dict[str, bool] = dict(session.rows(_AVAILABLE))
        session.commit()

    # Roles

    def create_role(
        self, name: str, *, bypass_rls: bool = False, inherit: bool = True, admit: bool = True
    ) -> bool:
        """A role that cannot log in and that the copy can act as. False where it is there already."""
        with _kept(self.session):
            self.session.script(LOCK)
            if name.startswith(("pg_", "sergei")) or self._exists(name):
                return False
            words = sql.SQL("create role {} nologin {} {}").format(
                sql.Identifier(name),
                sql.SQL("bypassrls" if bypass_rls else "nobypassrls"),
                sql.SQL("inherit" if inherit else "noinherit"),
            )
            self.session.run(words)
            self.made.append(name)
        if admit:
            self.admit([name])
        return True

    def admit(self, names: Iterable[str]) -> None:
        """Let the copy act as these roles, and own things as them, where they reach nothing beyond it."""
        with _kept(self.session):
            self.session.script(LOCK)
            for name in names:
                if name in self.unsafe or name in (self.owner, self.login) or not self._exists(name):
                    continue
                try:
                    with self.session.savepoint():
                        join(self.session, name, self.owner)
                except SqlFailure:  # it is a member of the owner itself
                    join(self.session, name, self.login)

    def _exists(self, name: str) -> bool:
        return bool(self.session.rows("select 1 from pg_catalog.pg_roles where rolname = %s", [name]))

    def run_role_statement(self, text: str) -> None:
        """Do what a statement about roles says as far as it concerns roles of this copy; note the rest."""
        label = " ".join(text.split())[:90].rstrip(";")
        try:
            tree = postgast.parse(text).stmts[0].stmt
        except (postgast.PgQueryError, IndexError):
            self.gaps.append((label, "it is no statement that PostgreSQL 17 knows"))
            return
        kind = tree.WhichOneof("node")
        node: Any = getattr(tree, str(kind))
        try:
            if kind == "create_role_stmt":
                self._create(node, label)
            elif kind == "alter_role_stmt":
                self._alter(node, label)
            elif kind == "grant_role_stmt":
                self._grant(node, label)
            elif kind in _ROLE_KINDS:
                self.notes.append(f"{label} was not run: settings of roles and their end concern a server")
            else:
                self.gaps.append((label, "a copy does not change the server's roles"))
        except SqlFailure as failure:
            self.session.rollback()
            self.gaps.append((label, f"{failure.message} ({failure.sqlstate})"))

    def _create(self, node: Any, label: str) -> None:
        options = _options(node)
        power = [
            word for word in ("superuser", "createrole", "createdb", "isreplication") if options.get(word)
        ]
        made = self.create_role(
            node.role,
            bypass_rls=bool(options.get("bypassrls") or options.get("superuser")),
            inherit=options.get("inherit", True) is not False,
        )
        if not made:
            self._compare(node.role, options, label)
            return
        if options.get("superuser"):
            self.gaps.append((label, "it is made without SUPERUSER and bypasses row level security only"))
        elif power:
            self.notes.append(f"{label}: made without what concerns a server ({', '.join(power)})")
        for parent in options.get("addroleto", ()):
            self._member(parent, node.role, label)
        for child in (*options.get("rolemembers", ()), *options.get("adminmembers", ())):
            self._member(node.role, child, label)

    def _compare(self, name: str, options: dict[str, Any], label: str) -> None:
        """A role that is there already stays: a difference that decides about rows is said."""
        found = self.session.rows(
            "select rolbypassrls or rolsuper from pg_catalog.pg_roles where rolname = %s", [name]
        )
        self.session.commit()
        wanted = bool(options.get("bypassrls") or options.get("superuser"))
        if not found or (found != [(wanted,)] and name not in (self.owner, *self.unsafe)):
            self.gaps.append((label, "the role cannot be made here as it is said"))

    def _alter(self, node: Any, label: str) -> None:
        options = _options(node)
        words = {
            ("bypassrls", True): "bypassrls", ("bypassrls", False): "nobypassrls",
            ("inherit", True): "inherit", ("inherit", False): "noinherit",
        }  # fmt: skip
        name = node.role.rolename
        if options.get("superuser"):
            self.gaps.append((label, "no role becomes a superuser here"))
            return
        changes = [word for (option, value), word in words.items() if options.get(option) is value]
        if changes and name in self.made:
            with _kept(self.session):
                for word in changes:
                    self.session.run(sql.SQL("alter role {} {}").format(sql.Identifier(name), _word(word)))
        elif changes:
            self.gaps.append((label, "the role belongs to the server and not to this copy"))
        else:
            self.notes.append(f"{label} was not run: it concerns a server")

    def _grant(self, node: Any, label: str) -> None:
        for granted in node.granted_roles:
            for grantee in node.grantee_roles:
                name = grantee.role_spec.rolename or self.owner
                if node.is_grant:
                    self._member(granted.access_priv.priv_name, name, label)
                elif {granted.access_priv.priv_name, name} & set(self.made):
                    self._unlink(granted.access_priv.priv_name, name)
                else:
                    self.gaps.append((label, "the membership belongs to the server and not to this copy"))

    def _unlink(self, role: str, member: str) -> None:
        if member == self.owner:  # by this membership the copy acts as the role
            return
        with _kept(self.session):
            self.session.run(
                sql.SQL("revoke {} from {}").format(sql.Identifier(role), sql.Identifier(member))
            )

    def _member(self, role: str, member: str, label: str) -> None:
        """Grant a membership: of a role of this copy, or in one. What exists is passed over."""
        if not self._allowed(role, member):
            linked = self.session.rows(
                "select coalesce(pg_has_role(to_regrole(quote_ident(%s)), to_regrole(quote_ident(%s)),"
                " 'MEMBER'), false)",
                [member, role],
            )
            self.session.commit()
            if linked != [(True,)]:
                self.gaps.append((label, "the membership reaches beyond this copy"))
            return
        with _kept(self.session):
            self.session.script(LOCK)
            join(self.session, role, member)

    def _allowed(self, role: str, member: str) -> bool:
        """A copy's own role may be in any that reaches nothing beyond a database, and have any member that
        stays, unless that member came into one of the server's roles by it."""
        if role in self.unsafe:
            return False
        if member in self.made:
            return True
        return role in self.made and not self.session.rows(
            "select 1 from pg_catalog.pg_auth_members a join pg_catalog.pg_roles m on m.oid = a.member"
            " join pg_catalog.pg_roles r on r.oid = a.roleid"
            " where m.rolname = %s and r.rolname <> all (%s)",
            [role, self.made],
        )

    def inherited(self, entry: Entry) -> Entry:
        """An entry whose owner here would be a role that the copy must not act as: the copy's owner takes it.

        Only on a server of the user's own, whose postgres is a superuser.
        """
        if self.owner != STAND_IN or entry.kind == "ACL":
            return entry
        owner = sql.Identifier(self.owner).as_string(None)
        return replace(entry, text=self._owners.sub(rf"\g<1>{owner}", entry.text))

    # Extensions and publications

    def may_install(self, name: str) -> bool:
        """Whether the server has it and it opens neither a file nor a connection."""
        return name in self.available and (self.available[name] or name in HARMLESS)

    def install(self, name: str, schema: str) -> None:
        """Install an extension before anything of the schema is there that its script could meet."""
        if name in self.installed or not self.may_install(name):
            return
        try:
            if schema:
                place = sql.Identifier(schema)
                self.session.run(
                    sql.SQL("create schema if not exists {} authorization {}").format(
                        place, sql.Identifier(self.owner)
                    )
                )
                tail = sql.SQL(" with schema {}").format(place)
            else:
                tail = sql.SQL("")
            self.session.run(
                sql.SQL("create extension if not exists {}{} cascade").format(sql.Identifier(name), tail)
            )
            self.session.commit()
        except SqlFailure as failure:
            self.session.rollback()
            self.notes.append(f"extension {name} is missing: {failure.message}")
        self.installed.add(name)

    def drop_extension(self, name: str) -> None:
        """Drop an extension that the copy has."""
        with _kept(self.session):
            self.session.run(sql.SQL("drop extension if exists {} cascade").format(sql.Identifier(name)))
        self.installed.discard(name)

    def publish_all(self, name: str) -> None:
        """A publication of all tables, which only a superuser may make."""
        with _kept(self.session):
            self.session.run(sql.SQL("create publication {} for all tables").format(sql.Identifier(name)))

    def lend(self, schema: str, role: str) -> bool:
        """Let a role create in a schema for a moment: whoever gets an object there must be allowed to.

        False where it may already, or one of the two is not there.
        """
        if schema.startswith("pg_") or role in self.unsafe:
            return False
        found = self.session.rows(
            "select not has_schema_privilege(r.oid, n.oid, 'CREATE') from pg_catalog.pg_namespace n,"
            " pg_catalog.pg_roles r where n.nspname = %s and r.rolname = %s",
            [schema, role],
        )
        if found == [(True,)]:
            self._creation("grant create on schema {} to {}", schema, role)
        self.session.commit()
        return found == [(True,)]

    def take_back(self, schema: str, role: str) -> None:
        """End what `lend` gave."""
        with suppress(SqlFailure), _kept(self.session):  # the schema has gone
            self._creation("revoke create on schema {} from {}", schema, role)

    def _creation(self, words: Any, schema: str, role: str) -> None:
        self.session.run(sql.SQL(words).format(sql.Identifier(schema), sql.Identifier(role)))


@contextmanager
def _kept(session: ScratchSession) -> Generator[None]:
    """Commit at the end, undo on a failure."""
    whole = False
    try:
        yield
        whole = True
    finally:
        session.commit() if whole else session.rollback()


def _word(word: str) -> sql.SQL:
    known = {w: sql.SQL(w) for w in ("bypassrls", "nobypassrls", "inherit", "noinherit")}
    return known[word]


def _options(node: Any) -> dict[str, Any]:
    """Options of CREATE or ALTER ROLE: booleans, and lists of role names."""
    found: dict[str, Any] = {}
    for option in node.options:
        element = option.def_elem
        if element.arg.WhichOneof("node") == "list":
            found[element.defname] = [item.role_spec.rolename for item in element.arg.list.items]
        else:
            found[element.defname] = bool(element.arg.boolean.boolval)
    return found
