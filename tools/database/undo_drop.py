"""Old definitions as SQL that makes the object again: with its options, owner, grants, comment and state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from tools.database.definitions import (
    BY_DEFAULT,
    FUNCTION,
    GRANTS,
    INDEX,
    POLICY,
    SEQUENCE,
    TRIGGER,
    VIEW,
)
from tools.database.dropping import dropped_kind, names_dropped
from tools.database.reach import Name, name_of
from tools.database.spelling import literal, quoted, signature

if TYPE_CHECKING:
    from postgast import pg_query_pb2 as pb

    from tools.database.connection import Session


async def undo_drop(session: Session, node: pb.DropStmt) -> list[str]:
    """The statements that make every dropped object again; empty when the catalog cannot tell them."""
    kind, lines = dropped_kind(node), list[str]()
    for item, parts in zip(node.objects, names_dropped(node), strict=True):
        if kind == "POLICY":
            lines += await policy(session, name_of(parts[:-1]), parts[-1])
        elif kind == "TRIGGER":
            lines += await trigger(session, name_of(parts[:-1]), parts[-1])
        elif kind in {"FUNCTION", "PROCEDURE", "ROUTINE"}:
            lines += await function(session, name_of(parts), signature(item), extras=True)
        elif kind in {"VIEW", "MATERIALIZED VIEW"}:
            lines += await view(session, name_of(parts))
        elif kind in {"INDEX", "SEQUENCE"}:
            lines += await plain(session, name_of(parts), kind)
    return lines


async def policy(session: Session, table: Name, name: str) -> list[str]:
    """CREATE POLICY as it was, with its comment."""
    rows = await _rows(session, POLICY, table, part=name)
    if not rows:
        return []
    row = rows[0]
    roles = ", ".join("PUBLIC" if role is None else quoted(role) for role in row["roles"])
    word = "PERMISSIVE" if row["permissive"] else "RESTRICTIVE"
    text = f"CREATE POLICY {quoted(row['name'])} ON {row['table']} AS {word} FOR {row['command']} TO {roles}"
    text += f" USING ({row['using']})" if row["using"] else ""
    text += f" WITH CHECK ({row['check']})" if row["check"] else ""
    return [f"{text};", *_comment(f"POLICY {quoted(row['name'])} ON {row['table']}", row["comment"])]


async def trigger(session: Session, table: Name, name: str) -> list[str]:
    """CREATE TRIGGER as it was, with its comment, disabled if it was."""
    lines: list[str] = []
    words = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
    for row in await _rows(session, TRIGGER, table, part=name):
        lines += [f"{row['definition']};", *_comment(row["object"], row["comment"])]
        if row["enabled"] in words:
            lines.append(f"ALTER TABLE {row['table']} {words[row['enabled']]} TRIGGER {quoted(name)};")
    return lines


async def function(session: Session, name: Name, signature: str = "", *, extras: bool) -> list[str]:
    """Every function of that name, or the one with this `name(types)` signature, as it was."""
    lines: list[str] = []
    for row in await _rows(session, FUNCTION, name, part=signature):
        lines.append(f"{str(row['definition']).rstrip()};")
        lines += await _extras(session, row) if extras else []
    return lines


async def view(session: Session, name: Name, *, replace_columns: int | None = None) -> list[str]:
    """The view as it was. `replace_columns`: the columns it will have, so that REPLACE may be enough."""
    lines: list[str] = []
    for row in await _rows(session, VIEW, name):
        if replace_columns == row["columns"]:
            return [f"{row['definition'].replace('CREATE VIEW', 'CREATE OR REPLACE VIEW', 1)};"]
        if replace_columns is not None:
            lines.append(f"DROP {row['object']};  -- fails while something else uses it")
        lines += [
            f"{row['definition']};",
            *(f"{part};" for part in row["parts"]),
            *await _extras(session, row),
        ]
    return lines


async def plain(session: Session, name: Name, kind: str) -> list[str]:
    """An index or a sequence as it was."""
    lines: list[str] = []
    for row in await _rows(session, INDEX if kind == "INDEX" else SEQUENCE, name):
        lines.append(f"{row['definition'].rstrip()};")
        if kind == "SEQUENCE":
            lines += await _extras(session, row)
            lines.append("-- the new sequence starts anew: note last_value before, setval() after")
        else:
            lines += _comment(row["object"], row["comment"])
    return lines


async def _rows(session: Session, query: LiteralString, name: Name, part: str = "") -> list[dict[str, Any]]:
    return await session.fetch(query, {"schema": name.schema or "", "name": name.name, "part": part})


def _comment(thing: str, text: str | None) -> list[str]:
    return [f"COMMENT ON {thing} IS {literal(text).strip()};"] if text else []


async def _extras(session: Session, row: dict[str, Any]) -> list[str]:
    """Owner, grants and comment of a new object as the old one had them."""
    thing = row["object"]
    on = thing.replace("MATERIALIZED VIEW ", "TABLE ").replace("VIEW ", "TABLE ")
    lines = [f"ALTER {thing} OWNER TO {quoted(row['owner'])};"]
    default = [found["grantee"] for found in await session.fetch(BY_DEFAULT, {"code": row["code"]})]
    if default:
        lines.append(f"REVOKE ALL ON {on} FROM {', '.join(default)};")
    for right in await session.fetch(GRANTS, {"acl": row["acl"], "owner": row["owner_oid"]}):
        option = " WITH GRANT OPTION" if right["grantable"] else ""
        lines.append(f"GRANT {right['privileges']} ON {on} TO {right['grantee']}{option};")
    return lines + _comment(thing, row["comment"])
