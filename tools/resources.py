"""What a tool may use, handed to it by the gate: nothing in `tools` reaches for globals or environments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import ConfigurationError
from tools.evidence import Evidence
from tools.probing import Probes

if TYPE_CHECKING:
    from memory import Banks
    from tools.database.connection import Database
    from tools.http.secret import Secret
    from tools.render.client import RenderClient
    from tools.sandbox.cluster import Cluster
    from tools.supabase.client import SupabaseClient
    from tools.workspace.jail import Workspace


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A finding that a person decided to live with (`[[suppress]]` in sergei.toml).

    `rule` is a rule name, `object` a finding's object or cache_key, or `*`; `reason` is never empty.
    `until` is the last day (UTC) on which it holds.
    """

    rule: str
    object: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """One connected target, one workspace, one memory bank.

    A part that was not configured raises ConfigurationError when a tool asks for it, so that tools which do
    not need it still work.
    """

    database_or_none: Database | None = None
    bank_or_none: Banks | None = None
    workspace_or_none: Workspace | None = None
    render_or_none: RenderClient | None = None
    supabase_or_none: SupabaseClient | None = None
    suppressions: tuple[Suppression, ...] = ()
    exposed_schemas: tuple[str, ...] = ("public", "graphql_public")
    phi_columns: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """`schema.table.column` or `schema.table.*`: whether it is PHI, as a person decided."""
    allowed_functions: tuple[str, ...] = ()
    """`schema.function`: volatile functions that a person allows execute_sql to call on this target."""
    dry_runs: bool = True
    """False where a preview is only compared with the one a person saw: its evidence is not looked at."""
    sandbox_or_none: Callable[[], Cluster] | None = None
    """Joins the sandbox's server, starting it if need be; the caller closes what it gets."""
    rls_model: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a person declared about who may see what: the `[rls]` section of sergei.toml, as written."""
    probes: Probes = field(default_factory=Probes)
    """What this session asked about hidden values."""
    recalled: Callable[[Sequence[str]], object] = lambda _: None
    """Told the ids of the entries that were recalled, for the count of which ones earn their place."""
    evidence: Evidence = field(default_factory=Evidence)
    """What this session's tools returned: what a lesson stands on."""
    progress: Callable[[str], None] = lambda _: None
    """Told what a long tool is at, in a few words; a person watches it, a model does not."""
    now: Callable[[], datetime] = field(default=_now)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits some seconds; a test or the simulated platform gives one that does not."""
    get_status: Callable[[str], Awaitable[int]] | None = None
    """Asks a public address as anybody would, and gives its status; None: over the network."""
    state_dir: Path | None = None
    """Where this machine keeps what must outlive a crash; None: in the workspace."""
    find_variable: Callable[[str], str | None] = lambda _: None
    """A variable of the person's environment: a value that may be sent where a person said; never shown."""
    replaced: dict[str, Secret] = field(default_factory=dict[str, "Secret"], repr=False)
    """Secret values that this session replaced, so that they can be put back; kept nowhere else."""
    pinned: dict[str, Any] = field(default_factory=dict[str, Any])
    """What a preview resolved, by digest of the call: what a person saw is what is done, nothing newer."""

    @property
    def database(self) -> Database:
        """The connected database."""
        if self.database_or_none is None:
            raise ConfigurationError(
                "No database is connected.",
                hint="Pass --database-url URL (or set SERGEI_DATABASE_URL), or --demo for the sandbox.",
            )
        return self.database_or_none

    @property
    def render(self) -> RenderClient:
        """Render's API."""
        if self.render_or_none is None:
            raise ConfigurationError(
                "There is no key for Render.",
                hint="Set RENDER_API_KEY, or keep one in the keyring with `sergei keys set render`.",
            )
        return self.render_or_none

    @property
    def supabase(self) -> SupabaseClient:
        """Supabase's Management API."""
        if self.supabase_or_none is None:
            raise ConfigurationError(
                "There is no access token for Supabase.",
                hint="Set SUPABASE_ACCESS_TOKEN, or keep one with `sergei keys set supabase`.",
            )
        return self.supabase_or_none

    def sandbox(self) -> Cluster:
        """The sandbox's server, as a context manager that gives the lease back."""
        if self.sandbox_or_none is None:
            raise ConfigurationError("There is no sandbox here.", hint="Start Sergei as `sergei`.")
        return self.sandbox_or_none()

    @property
    def bank(self) -> Banks:
        """The memory bank."""
        if self.bank_or_none is None:
            raise ConfigurationError("The memory bank is switched off.", hint="Remove `memory = false`.")
        return self.bank_or_none

    @property
    def workspace(self) -> Workspace:
        """The jailed workspace."""
        if self.workspace_or_none is None:
            raise ConfigurationError("There is no workspace.", hint="Start sergei in a project folder.")
        return self.workspace_or_none
