"""Which files of a folder are migrations, in which order they run, and which part of each undoes it again.

supabase/migrations            *.sql by name (Supabase, dbmate, goose, plain folders)
prisma/migrations              NAME/migration.sql by folder (Prisma)
V1__x.sql, V2.1__y.sql, R__z   by version, repeatable ones last (Flyway)
sqitch.plan with deploy/       in the order of the plan (Sqitch)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

PLAN: Final = "sqitch.plan"
_DOWN: Final = re.compile(r"(^|[._-])(down|undo|revert|rollback)(\.sql$|$)|^U[\d.]+__", re.IGNORECASE)
_DOWN_PART: Final = re.compile(
    r"^--\s*(migrate:down|\+goose\s+down|\+migrate\s+down|down\s*$).*",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_FLYWAY: Final = re.compile(r"V(?P<version>\d+([._]\d+)*)__.*\.sql", re.IGNORECASE)


def wanted(name: str) -> bool:
    """Whether a file may matter: a path below the folder."""
    return name.endswith(".sql") or name == PLAN


def upward(text: str) -> str:
    """A migration without the section that undoes it."""
    return _DOWN_PART.sub("", text)


def ordered(files: Mapping[str, str]) -> list[str]:
    """Those of the files (paths below the folder) that are migrations, in the order in which they run."""
    if PLAN in files:
        return _planned(files)
    sql = [name for name in files if name.endswith(".sql") and not _undoes(name)]
    prisma = [name for name in sql if PurePosixPath(name).name == "migration.sql"]
    if prisma:
        return sorted(prisma)
    shallow = [name for name in sql if "/" not in name] or sql
    versions = {name: _FLYWAY.fullmatch(PurePosixPath(name).name) for name in shallow}
    if any(versions.values()):
        return sorted(shallow, key=lambda name: (_version(versions[name]), name))
    return sorted(shallow)


def _version(found: re.Match[str] | None) -> tuple[bool, tuple[int, ...]]:
    """Flyway runs what has no version after everything that has one."""
    return found is None, tuple(int(n) for n in re.split(r"[._]", found["version"])) if found else ()


def _undoes(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(_DOWN.search(path.name)) or any(_DOWN.fullmatch(part) for part in path.parts[:-1])


def _planned(files: Mapping[str, str]) -> list[str]:
    """Changes of a sqitch plan: the first word of each line that is neither a setting, a tag nor a remark."""
    words = (line.split()[0] for line in files[PLAN].splitlines() if line.strip())
    changes = dict.fromkeys(word for word in words if word[0] not in "%@#-+")
    return [f"deploy/{change}.sql" for change in changes if f"deploy/{change}.sql" in files]
