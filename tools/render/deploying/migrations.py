"""The order of code and schema: expand before the code that needs it, contract after the code that did.

Compared are the migrations that the commit has with those that the database knows (Supabase's list), or,
where that is not at hand, with those of the serving commit. What takes something away is looked for by
PostgreSQL's own parser, and in the code that serves now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from tools.errors import InvalidInput, SergeiError
from tools.render.deploying.checks import Check, ok, stop, unseen, warning
from tools.render.deploying.repository import Repository
from tools.render.models import Service

if TYPE_CHECKING:
    from tools.supabase.client import SupabaseClient

FOLDER: Final = "supabase/migrations"
_ANY: Final = re.compile(
    r"(?:^|/)(?:migrations?|migrate|alembic/versions)/(?:.+/)?[^/]+\.(?:sql|py|rb|ts|js)$"
)
_VERSION: Final = re.compile(r"(\d{8,17})[_.]")
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Pending:
    """Migrations that are not applied. `certain`: the database was asked, not only git."""

    paths: tuple[str, ...]
    certain: bool
    source: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Something a migration takes away: a table, or a column of one."""

    path: str
    what: str
    word: str


async def check_migrations(
    service: Service,
    repository: Repository | None,
    supabase: SupabaseClient | None,
    commit: str,
    serving: str,
) -> Check:
    """Pending migrations, and whether the release that serves could live with them."""
    if repository is None or not commit or not await repository.full(commit):
        return unseen("migrations", "this commit is not in a checkout here")
    pending = await _pending(repository, supabase, commit, serving)
    if isinstance(pending, str):
        return unseen("migrations", f"{pending}")
    if not pending.paths:
        return ok("migrations", "none is pending", pending.source)
    losses = [loss for path in pending.paths for loss in losses_of(path, await repository.text(commit, path))]
    return await _judge(service, repository, pending, losses, serving)


async def _pending(
    repository: Repository, supabase: SupabaseClient | None, commit: str, serving: str
) -> Pending | str:
    here = [path for path in await repository.files(commit, FOLDER) if path.endswith(".sql")]
    if here and supabase is not None:
        try:
            applied = {migration.version for migration in await supabase.list_migrations()}
        except SergeiError as error:
            return f"the applied migrations could not be read ({error.message})"
        lacking = tuple(path for path in here if _version(path) and _version(path) not in applied)
        return Pending(lacking, True, f"{FOLDER} at {commit[:12]} against Supabase's list of {len(applied)}")
    if not serving or not await repository.full(serving):
        return "the serving commit is not in this checkout, and no database's list of migrations is at hand"
    new = [path for path in await repository.added_files(serving, commit) if _ANY.search(path)]
    return Pending(tuple(new), False, f"files that are new since {serving[:12]}; no database was asked")


def _version(path: str) -> str:
    found = _VERSION.match(PurePosixPath(path).name)
    return found[1] if found else ""


async def _judge(
    service: Service, repository: Repository, pending: Pending, losses: list[Loss], serving: str
) -> Check:
    names = [PurePosixPath(path).name for path in pending.paths]
    shown = ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
    used = await _used(repository, losses, serving)
    pre_deploy = service.service_details.pre_deploy
    if used and pre_deploy:
        loss, files = used[0]
        return stop(
            "migrations",
            f"{PurePosixPath(loss.path).name} {loss.what}, which the serving release still uses: the"
            " pre-deploy command would apply it while that release serves, and a rollback would not bring it"
            " back. Deploy code without it first, contract afterwards",
            f"{', '.join(files[:3])} at {serving[:12]}; {pending.source}",
        )
    if losses:
        what = "; ".join(f"{PurePosixPath(loss.path).name} {loss.what}" for loss in losses[:3])
        told = "not seen in the serving code" if serving and not used else "used by the serving release"
        return warning(
            "migrations",
            f"pending: {shown}. {what} ({told}): apply that only once the new release is verified",
            pending.source,
        )
    if pre_deploy:
        said = f"pending: {shown}; they add only, and the pre-deploy command (`{pre_deploy}`) runs first"
        return warning("migrations", f"{said}. A rollback does not undo them", pending.source)
    said = f"pending: {shown}; they add only: apply them before the code that needs them"
    return (stop if pending.certain else warning)("migrations", said, pending.source)


async def _used(repository: Repository, losses: list[Loss], serving: str) -> list[tuple[Loss, list[str]]]:
    """Losses whose name stands in the code that serves now, outside of migrations."""
    found: list[tuple[Loss, list[str]]] = []
    if not serving or not await repository.full(serving):
        return found
    for loss in losses[:20]:
        files = [path for path in await repository.mentions(serving, loss.word) if not _aside(path)]
        if files:
            found.append((loss, files))
    return found


def _aside(path: str) -> bool:
    return bool(_ANY.search(path)) or path.startswith(FOLDER) or path.endswith((".md", ".sql", ".lock"))


def losses_of(path: str, sql: str) -> list[Loss]:
    """What a migration in SQL takes away or renames; nothing for what does not parse."""
    from postgast import pg_query_pb2 as pb

    from tools.database.dropping import dropped_kind, names_dropped
    from tools.database.sqltext import parse_script

    if not path.endswith(".sql") or not sql.strip():
        return []
    try:
        pieces = parse_script(sql)
    except InvalidInput:
        return [
            Loss(
                path, "could not be read as SQL, so what it takes away is not known", PurePosixPath(path).stem
            )
        ]
    found: list[Loss] = []
    for piece in pieces:
        node = piece.node
        if isinstance(node, pb.DropStmt) and dropped_kind(node) in {"TABLE", "VIEW", "FUNCTION", "TYPE"}:
            kind = dropped_kind(node).lower()
            found += [Loss(path, f"drops {kind} {'.'.join(name)}", name[-1]) for name in names_dropped(node)]
        elif isinstance(node, pb.RenameStmt) and node.rename_type in {pb.OBJECT_COLUMN, pb.OBJECT_TABLE}:
            table, column = node.relation.relname, node.rename_type == pb.OBJECT_COLUMN
            old = f"{table}.{node.subname}" if column else table
            word = node.subname if column else table
            found.append(Loss(path, f"renames {old} to {node.newname}", word))
        elif isinstance(node, pb.AlterTableStmt):
            table = node.relation.relname
            for item in node.cmds:
                command = item.alter_table_cmd
                if command.subtype == pb.AT_DropColumn:
                    found.append(Loss(path, f"drops column {table}.{command.name}", command.name))
                elif command.subtype == pb.AT_AlterColumnType:
                    found.append(Loss(path, f"changes the type of {table}.{command.name}", command.name))
                elif command.subtype == pb.AT_SetNotNull:
                    found.append(Loss(path, f"makes {table}.{command.name} NOT NULL", command.name))
    return found
