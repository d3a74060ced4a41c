"""A schema without a database of its own: migrations applied to a scratch copy in the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.commands import migrations
from agent.compose import open_cluster
from agent.settings import Settings
from tools.review import Gap

if TYPE_CHECKING:
    from tools.sandbox.cluster import Cluster

_SUPABASE: Final = re.compile(
    r"\bauth\s*\.\s*(uid|users|jwt|role|email)\b|\b(anon|authenticated|service_role)\b"
    r"|\bstorage\s*\.\s*(objects|buckets|foldername)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Applied:
    """A scratch database with migrations applied, dropped at the end. `gaps` are what did not restore."""

    label: str
    dsn: str
    gaps: tuple[Gap, ...]


@contextmanager
def applied(
    settings: Settings, where: str, progress: Callable[[str], None], *, beside: Sequence[str] = ()
) -> Generator[Applied]:
    """The migrations of a folder, a file or REV:PATH, applied. Raises NotFound or InvalidInput.

    `beside` are other states of the same schema: one that relies on Supabase makes all of them do so.
    """
    environment = settings.subprocess_environment
    found = migrations.read(where, environment)
    others = [migrations.read(one, environment).texts for one in beside if one != where]
    supabase = any(for_supabase(texts) for texts in (found.texts, *others))
    progress("starting the sandbox ...")
    with open_cluster(settings) as cluster, restored(cluster, found, supabase, progress) as side:
        yield side


@contextmanager
def restored(
    cluster: Cluster, found: migrations.Migrations, supabase: bool, progress: Callable[[str], None]
) -> Generator[Applied]:
    """The migrations applied in a server that runs already."""
    from tools.sandbox.scratch.copy import restore_sql

    count = len(found.texts)
    progress(f"applying {count} file{'' if count == 1 else 's'} of {found.label} ...")
    with restore_sql(cluster, found.texts, supabase=supabase) as scratch:
        gaps = tuple(Gap(what=what, why=why) for what, why in scratch.gaps)
        yield Applied(found.label, scratch.dsn, gaps)


def for_supabase(texts: tuple[str, ...]) -> bool:
    """Whether the schema relies on Supabase: its roles come with default privileges that others lack."""
    return any(_SUPABASE.search(text) for text in texts)
