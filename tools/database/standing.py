"""How the touched relations stand now: size, rows, row level security, policies, who holds which rights.

Change ── read_standing() ──▶ Standing per name ── consequences() ──▶ who can do what afterwards
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from postgast import pg_query_pb2 as pb
from pydantic import BaseModel, ConfigDict

from tools.database.access import API_ROLES, roles_of
from tools.database.altering import actions
from tools.database.changes import Change
from tools.database.locks import range_name
from tools.database.reach import Name

if TYPE_CHECKING:
    from tools.database.connection import Session

BIG_BYTES: Final = 100 * 1024 * 1024
_STANDING: Final = """
select w.schema as asked_schema, w.name as asked_name, n.nspname::text as schema, c.relname::text as name,
       c.relkind::text as kind, pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
       coalesce((select sum(pg_catalog.pg_total_relation_size(t.relid))
                 from pg_catalog.pg_partition_tree(c.oid) t),
                pg_catalog.pg_total_relation_size(c.oid))::int8 as bytes,
       greatest(case when c.relkind = 'p' then (
           select sum(greatest(k.reltuples, coalesce(pg_catalog.pg_stat_get_live_tuples(k.oid), 0)))
           from pg_catalog.pg_partition_tree(c.oid) t join pg_catalog.pg_class k on k.oid = t.relid
           where t.isleaf)
         else greatest(c.reltuples, coalesce(pg_catalog.pg_stat_get_live_tuples(c.oid), 0)) end, 0)::int8
         as rows,
       c.relrowsecurity as secured, c.relforcerowsecurity as forced,
       coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions),
                false) as invoker,
       array(select p.polname::text from pg_catalog.pg_policy p where p.polrelid = c.oid order by 1)
         as policies,
       (select b.indrelid::pg_catalog.regclass::text from pg_catalog.pg_index b where b.indexrelid = c.oid)
         as indexed,
       array(select coalesce(r.rolname::text, 'public') || ': '
                    || string_agg(distinct a.privilege_type, ', ' order by a.privilege_type)
             from pg_catalog.aclexplode(c.relacl) a left join pg_catalog.pg_roles r on r.oid = a.grantee
             where a.grantee <> c.relowner and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
             group by r.rolname order by r.rolname nulls first) as grants
from unnest(%(schemas)s::text[], %(names)s::text[]) w (schema, name)
join pg_catalog.pg_class c on c.relname = w.name join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = w.schema or w.schema = '' and pg_catalog.pg_table_is_visible(c.oid)
"""


class Standing(BaseModel):
    """One relation as the catalog has it. `rows` is an estimate; `grants` are `role: SELECT, ...`."""

    model_config = ConfigDict(frozen=True)

    schema_name: str
    name: str
    kind: str
    owner: str
    bytes: int
    rows: int
    secured: bool
    forced: bool
    invoker: bool
    policies: tuple[str, ...]
    indexed: str | None
    grants: tuple[str, ...]

    @property
    def size(self) -> str:
        """Bytes and rows for people."""
        return f"{words_of_bytes(self.bytes)}, about {self.rows:,} rows"

    @property
    def small(self) -> bool:
        """Whether a scan or a rewrite of it takes a moment."""
        return self.bytes <= 16 * 1024 * 1024 and self.rows <= 50_000


def words_of_bytes(count: int) -> str:
    """1,234 kB or 12 MB."""
    return f"{count / 1024 / 1024:,.0f} MB" if count >= 10 * 1024 * 1024 else f"{count / 1024:,.0f} kB"


async def read_standing(session: Session, changes: Iterable[Change]) -> dict[Name, Standing]:
    """What is known of every relation that the changes name; those that are not there are left out."""
    names = sorted({name for change in changes for name in change.tables}, key=str)
    if not names:
        return {}
    values = {"schemas": [name.schema or "" for name in names], "names": [name.name for name in names]}
    found: dict[Name, Standing] = {}
    for row in await session.fetch(_STANDING, values):
        facts: dict[str, Any] = {**row, "schema_name": row["schema"]}
        name = Name(row["asked_schema"] or None, row["asked_name"])
        found[name] = Standing(**{key: facts[key] for key in Standing.model_fields})
    return found


def consequences(change: Change, standing: Mapping[Name, Standing]) -> list[str]:
    """Sentences that need the catalog: who can do what afterwards."""
    node, known = change.piece.node, [standing[name] for name in change.tables if name in standing]
    said: list[str] = []
    for table in known:
        if table.indexed and change.command == "DROP INDEX":
            said.append(f"The lock is on its table {table.indexed} as well.")
        if isinstance(node, pb.AlterTableStmt):
            said += _switched(node, table)
        if isinstance(node, pb.CreatePolicyStmt | pb.AlterPolicyStmt) and not table.secured:
            said.append(
                f"Row level security is OFF on {table.name}: the policy has no effect until it is on."
            )
        if isinstance(node, pb.GrantStmt) and node.is_grant:
            said += _granted(node, table)
        if change.command == "DROP POLICY":
            said.append(_unprotected(table, len([name for name in change.tables if name in standing])))
    if isinstance(node, pb.ViewStmt) and node.replace:
        view = standing.get(range_name(node.view))
        if view and view.invoker and "security_invoker" not in str(node.options):
            said.append(
                f"{view.name} LOSES security_invoker: it reads with the rights of {view.owner} from now on;"
                " repeat WITH (security_invoker = true)."
            )
    return [sentence for sentence in said if sentence]


def sizes_of(change: Change, standing: Mapping[Name, Standing]) -> list[str]:
    """How big the relations are that it scans, rewrites or empties."""
    known = [standing[name] for name in change.tables if name in standing]
    said = [_cost(change, table) for table in known]
    if change.command in {"DROP TABLE", "TRUNCATE", "DELETE", "DROP MATERIALIZED VIEW"}:
        said += [f"{table.name} holds {table.size}." for table in known]
    return [sentence for sentence in said if sentence]


def _cost(change: Change, table: Standing) -> str:
    if not change.cost or table.kind == "v":
        return ""
    verbs = {"scan": "is scanned", "build": "is read to build the index", "rewrite": "may be rewritten"}
    waits = change.locks[0].mode if change.locks else ""
    said = f"{table.name} ({table.size}) {verbs[change.cost]} under {waits}"
    return said + (": a BIG table, plan a quiet hour or a way in steps." if table.bytes > BIG_BYTES else ".")


def _switched(node: pb.AlterTableStmt, table: Standing) -> list[str]:
    kinds = {command.subtype for command in actions(node)}
    if pb.AT_DisableRowSecurity in kinds:
        return [f"Every row of {table.name}: {'; '.join(table.grants)}." if table.grants else
                f"Nobody but the owner {table.owner} holds a grant on {table.name}."]  # fmt: skip
    if pb.AT_EnableRowSecurity in kinds and not table.policies:
        return [f"{table.name} has no policy: everybody but {table.owner} and BYPASSRLS roles sees nothing."]
    if pb.AT_EnableRowSecurity in kinds:
        return [f"Its policies: {', '.join(table.policies)}."]
    return []


def _granted(node: pb.GrantStmt, table: Standing) -> list[str]:
    roles = ", ".join(roles_of(node.grantees))
    if not set(roles_of(node.grantees)) & API_ROLES or table.kind not in "rp":
        return []
    if not table.secured:
        return [f"Row level security is OFF on {table.name}: {roles} then reaches EVERY row of it."]
    return [
        f"{roles} then reaches the rows that the {len(table.policies)} policies of {table.name} let through."
    ]


def _unprotected(table: Standing, dropped: int) -> str:
    left = len(table.policies) - dropped
    if not table.secured:
        return f"Row level security is OFF on {table.name} anyway: its policies have no effect."
    if left <= 0:
        return f"No policy is left on {table.name}: everybody but {table.owner} sees no row."
    return f"{left} {'policy' if left == 1 else 'policies'} of {table.name} stay."


def too_big(changes: Sequence[Change], standing: Mapping[Name, Standing]) -> str:
    """Why scans and rewrites are not tried out, or an empty string: only what takes a moment is."""
    for change in changes:
        for name in change.tables if change.cost else ():
            table = standing.get(name)
            if table is not None and not table.small:
                verb = {"scan": "scan", "build": "build an index on", "rewrite": "rewrite"}[change.cost]
                return f"it would {verb} {table.name} ({table.size}) while nobody can use it"
    return ""
