"""Read a snapshot: the fixed set of catalog queries, in one round trip (two where storage buckets exist).

Where plpgsql_check is installed, it is asked about every PL/pgSQL body as well, 200 at a time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tools.database.connection import Database
from tools.rls.bodyerrors import Checked
from tools.rls.catalog import BUCKETS, QUERIES
from tools.rls.checking import check_bodies, check_here
from tools.rls.objects import (
    COMMANDS,
    Bucket,
    Column,
    DefaultPrivileges,
    Extension,
    Function,
    Index,
    Key,
    Policy,
    Publication,
    Relation,
    Scans,
    Trigger,
)
from tools.rls.privileges import PUBLIC, Role, closure, parse_acl
from tools.rls.snapshot import API_ROLES, Snapshot
from tools.sandbox.scratch.session import ScratchSession

Row = Mapping[str, Any]
LISTED = re.compile(r"= ANY \(+ARRAY\[(.*?)\]", re.DOTALL)
QUOTED = re.compile(r"'((?:[^']|'')*)'")
UPDATABLE = {"UPDATE": 4, "INSERT": 8, "DELETE": 16}


async def read_snapshot(
    database: Database, exposed: tuple[str, ...] = ("public", "graphql_public")
) -> Snapshot:
    """Everything the rules need. `exposed` are the schemas that PostgREST serves.

    Raises Unavailable when the target cannot be reached and RemoteError when the catalog cannot be read.
    """
    answers = await database.fetch_many([(sql, None) for sql in QUERIES.values()])
    rows = dict(zip(QUERIES, answers, strict=True))
    server = rows["server"][0]
    buckets = await database.fetch(BUCKETS) if server["buckets"] else None
    return assemble(rows, buckets, exposed, await check_bodies(database, rows))


def read_here(session: ScratchSession, exposed: tuple[str, ...] = ("public", "graphql_public")) -> Snapshot:
    """The same of a scratch copy, over its own session. Raises SqlFailure when the catalog cannot be read."""
    with session.savepoint(keep=False):
        session.script("set local search_path = pg_catalog")
        rows = {name: session.dicts(sql) for name, sql in QUERIES.items()}
        buckets = session.dicts(BUCKETS) if rows["server"][0]["buckets"] else None
        checked = check_here(session, rows)
    return assemble(rows, buckets, exposed, checked)


def assemble(
    rows: Mapping[str, list[dict[str, Any]]],
    buckets: list[dict[str, Any]] | None,
    exposed: tuple[str, ...],
    checked: Checked | None = None,
) -> Snapshot:
    """The snapshot from the rows of QUERIES (of BUCKETS, or None when they were not read; of the checks)."""
    server = rows["server"][0]
    checked = checked or Checked()
    roles = _roles(rows["roles"])
    by_oid = {int(row["oid"]): str(row["name"]) for row in rows["roles"]}
    relations = _relations(rows, by_oid)
    supabase = _is_supabase(roles, rows["schemas"], relations)
    oids = {int(row["oid"]): f"{row['schema']}.{row['name']}" for row in rows["relations"]}
    return Snapshot(
        version=int(server["version"]),
        reader=str(server["reader"]),
        supabase=supabase,
        exposed=tuple(exposed),
        roles=roles,
        schemas={row["name"]: parse_acl(row["acl"]) for row in rows["schemas"]},
        relations=relations,
        functions=tuple(_function(row, by_oid, checked) for row in rows["functions"]),
        publications=tuple(
            Publication(
                row["name"],
                row["all_tables"],
                tuple(oids[oid] for oid in row["relations"] if oid in oids),
                tuple(row["schemas"]),
            )
            for row in rows["publications"]
        ),
        buckets=tuple(Bucket(row["id"], row["public"]) for row in buckets or ()),
        extensions=tuple(server["extensions"]),
        round_trips=(1 if buckets is None else 2) + checked.statements,
        gaps=_gaps(supabase, relations, roles, exposed, rows["schemas"], buckets) + checked.gaps,
        default_privileges=tuple(
            DefaultPrivileges(row["creator"], row["schema"], row["kind"], parse_acl(row["acl"]))
            for row in rows["default_privileges"]
        ),
        installed=tuple(
            Extension(name, schema, name in server["relocatable"])
            for name, schema in zip(server["extensions"], server["extension_schemas"], strict=True)
        ),
    )


def _is_supabase(
    roles: Mapping[str, Role], schemas: list[dict[str, Any]], relations: Mapping[str, Relation]
) -> bool:
    """Whether anon and authenticated mean something here: roles belong to the server, not to the database."""
    if not all(name in roles for name in API_ROLES):
        return False
    known = any(row["name"] == "auth" for row in schemas)
    return known or any(name in relation.acl for relation in relations.values() for name in API_ROLES)


def _roles(rows: list[dict[str, Any]]) -> dict[str, Role]:
    names = {int(row["oid"]): str(row["name"]) for row in rows}
    inherits = {int(row["oid"]): row["inherits"] for row in rows}
    settable = {int(row["oid"]): row["settable"] for row in rows}
    return {
        row["name"]: Role(
            row["oid"],
            row["name"],
            row["superuser"],
            row["bypassrls"],
            row["login"],
            frozenset(names[oid] for oid in closure(row["oid"], inherits) if oid in names),
            frozenset(names[oid] for oid in closure(row["oid"], settable) if oid in names) - {row["name"]},
        )
        for row in rows
    }


def _relations(rows: Mapping[str, list[dict[str, Any]]], roles: Mapping[int, str]) -> dict[str, Relation]:
    titles = {int(row["oid"]): f"{row['schema']}.{row['name']}" for row in rows["relations"]}
    labels = _labels(rows["labels"])
    columns = {row["relation"]: _columns(row, labels.get(row["relation"], {})) for row in rows["columns"]}
    numbers = {oid: {column.number: name for name, column in found.items()} for oid, found in columns.items()}
    keys = _grouped(rows["constraints"])
    indexes = _grouped(rows["indexes"])
    policies = _grouped(rows["policies"])
    triggers = _grouped(rows["triggers"])
    reads = {row["relation"]: row["reads"] for row in rows["view_reads"]}
    found: dict[str, Relation] = {}
    for row in rows["relations"]:
        oid, title = row["oid"], titles[row["oid"]]
        named = numbers.get(oid, {})
        found[title] = Relation(
            oid=oid,
            schema=row["schema"],
            name=row["name"],
            kind=row["kind"],
            owner=roles.get(row["owner"], ""),
            rls=row["rls"],
            forced=row["forced"],
            partition=row["partition"],
            tuples=row["tuples"],
            acl=parse_acl(row["acl"]),
            options=tuple(row["options"]),
            parents=tuple(titles[parent] for parent in row["parents"] if parent in titles),
            definition=row["definition"],
            columns=columns.get(oid, {}),
            keys=tuple(_key(key, named, numbers, titles) for key in keys.get(oid, ())),
            indexes=tuple(_index(index, named) for index in indexes.get(oid, ())),
            policies=tuple(_policy(policy, title, roles) for policy in policies.get(oid, ())),
            triggers=tuple(
                Trigger(one["name"], one["function"], one["kind"], one["enabled"], tuple(one["arguments"]))
                for one in triggers.get(oid, ())
            ),
            reads=tuple(titles[read] for read in reads.get(oid, ()) if read in titles),
            writable=frozenset(word for word, bit in UPDATABLE.items() if row["updatable"] & bit),
            scans=Scans(*row["scans"] or ()),
        )
    return found


def _grouped(rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["relation"], []).append(row)
    return found


def _labels(rows: list[dict[str, Any]]) -> dict[int, dict[str, tuple[str, ...]]]:
    """Enum labels and listed values, by relation and column."""
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for row in rows:
        values = tuple(row["labels"]) or listed_values(row["condition"] or "")
        if values:
            found.setdefault(row["relation"], {})[row["name"]] = values
    return found


def listed_values(condition: str) -> tuple[str, ...]:
    """The constants of `column = ANY (ARRAY[...])` as pg_get_expr prints it; nothing for other conditions."""
    match = LISTED.search(condition)
    return tuple(value.replace("''", "'") for value in QUOTED.findall(match[1])) if match else ()


def _columns(row: Row, labels: Mapping[str, tuple[str, ...]]) -> dict[str, Column]:
    parts = zip(row["numbers"], row["names"], row["types"], row["required"], row["acls"], strict=True)
    return {
        name: Column(
            number, name, kind, required, parse_acl(acl.split("\n")) if acl else {}, labels.get(name, ())
        )
        for number, name, kind, required, acl in parts
    }


def _key(
    row: Row, named: Mapping[int, str], numbers: Mapping[int, Mapping[int, str]], titles: Mapping[int, str]
) -> Key:
    target = numbers.get(row["target"], {})
    return Key(
        row["name"],
        row["kind"],
        tuple(named.get(number, "") for number in row["columns"]),
        titles.get(row["target"], ""),
        tuple(target.get(number, "") for number in row["target_columns"]),
    )


def _index(row: Row, named: Mapping[int, str]) -> Index:
    return Index(
        row["name"],
        tuple(named.get(number, "") for number in row["columns"]),
        row["is_unique"],
        row["valid"],
        row["method"],
        row["predicate"],
    )


def _policy(row: Row, title: str, roles: Mapping[int, str]) -> Policy:
    return Policy(
        title,
        row["name"],
        COMMANDS[row["command"]],
        row["permissive"],
        tuple(roles.get(oid, PUBLIC) if oid else PUBLIC for oid in row["roles"]),
        row["using_text"],
        row["check_text"],
    )


def _function(row: Row, roles: Mapping[int, str], checked: Checked) -> Function:
    modes = row["argument_modes"]
    names = row["argument_names"]
    types = row["argument_types"]
    # proargmodes is null when every argument is IN; OUT and TABLE columns are no input.
    inputs = [i for i in range(len(types)) if not modes or modes[i] in ("i", "b", "v")]
    return Function(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        language=row["language"],
        kind=row["kind"],
        definer=row["definer"],
        volatility=row["volatility"],
        owner=roles.get(row["owner"], ""),
        config=tuple(row["config"]),
        acl=parse_acl(row["acl"]),
        arguments=tuple(names[i] if i < len(names) else "" for i in inputs),
        argument_types=tuple(types[i] for i in inputs),
        identity=row["identity_arguments"],
        returns=row["returns"],
        body=row["body"] or "",
        bound=row["bound"],
        definition=row["definition"] or "",
        outputs=tuple(
            names[i] for i in range(len(names)) if modes and modes[i] in ("o", "t", "b") and names[i]
        ),
        leakproof=row["leakproof"],
        defaults=row["defaults"],
        checked=row["oid"] in checked.errors,
        errors=checked.errors.get(row["oid"], ()),
    )


def _gaps(
    supabase: bool,
    relations: Mapping[str, Relation],
    roles: Mapping[str, Role],
    exposed: tuple[str, ...],
    schemas: list[dict[str, Any]],
    buckets: list[dict[str, Any]] | None,
) -> tuple[tuple[str, str], ...]:
    """What was not read, and why: said in every review, so that silence never passes for a clean result."""
    found: list[tuple[str, str]] = []
    if not supabase:
        why = "anon and authenticated have no part here; each role that owns nothing and is bound by policies"
        found.append(("Supabase API exposure", f"{why} was taken as an outsider instead"))
        if not any(relation.rls for relation in relations.values()):
            found.append(
                ("row level security", "no table uses it, so access by row is not decided in this database")
            )
    existing = {row["name"] for row in schemas}
    if supabase:
        found.extend(
            (f"schema {name}", "it is listed as exposed and does not exist")
            for name in exposed
            if name not in existing and name != "graphql_public"
        )
    if "storage.objects" not in relations:
        found.append(("storage", "there is no storage.objects here"))
    elif buckets is None:
        found.append(("storage buckets", "the connected role may not read storage.buckets"))
    found.append(("edge functions and service_role use outside the database", "only the catalog is read"))
    return tuple(found)
