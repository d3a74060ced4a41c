"""Settings of a project: Auth, keys, network, disk, compute, pooler, Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.errors import InvalidInput
from tools.supabase.endpoints import Endpoints
from tools.supabase.models import ApiKey, AuthConfig, SigningKey, SigningKeys, Switch
from tools.supabase.models_settings import (
    Addons,
    BannedAddresses,
    DataApiConfig,
    Disk,
    DiskAutoscale,
    DiskUtilization,
    NetworkRestrictions,
    PoolerConfig,
    PostgresConfig,
    ReadOnlyMode,
    SslEnforcement,
    UpgradeEligibility,
)


class AuthSettings(Endpoints):
    """Auth, its keys and its identity providers."""

    async def get_auth_config(self, project: str | None = None) -> AuthConfig:
        """The settings of Auth; secrets among them are digests."""
        return await self._one(AuthConfig, "GET", "/projects/{}/config/auth", self._ref(project))

    async def update_auth_config(
        self, changes: Mapping[str, Any], *, project: str | None = None
    ) -> AuthConfig:
        """Change settings of Auth; those that are not named stay. Secrets are given as Secret."""
        if not changes:
            raise InvalidInput("Nothing to change was given.")
        path, ref = "/projects/{}/config/auth", self._ref(project)
        return await self._one(AuthConfig, "PATCH", path, ref, json=dict(changes))

    async def list_api_keys(self, project: str | None = None) -> list[ApiKey]:
        """The API keys by name and type; their values are never asked for."""
        params = {"reveal": False}
        return await self._list(ApiKey, "/projects/{}/api-keys", self._ref(project), params=params)

    async def has_legacy_keys(self, project: str | None = None) -> bool:
        """Whether the old anon and service_role keys still work."""
        found = await self._one(Switch, "GET", "/projects/{}/api-keys/legacy", self._ref(project))
        return found.enabled

    async def list_signing_keys(self, project: str | None = None) -> list[SigningKey]:
        """The keys that sign users' tokens."""
        path = "/projects/{}/config/auth/signing-keys"
        found = await self._one(SigningKeys, "GET", path, self._ref(project))
        return list(found.keys)


class NetworkSettings(Endpoints):
    """Who may connect, and how."""

    async def get_network_restrictions(self, project: str | None = None) -> NetworkRestrictions:
        """Who may connect to the database."""
        path = "/projects/{}/network-restrictions"
        return await self._one(NetworkRestrictions, "GET", path, self._ref(project))

    async def set_network_restrictions(
        self, v4: Sequence[str], v6: Sequence[str] = (), *, project: str | None = None
    ) -> NetworkRestrictions:
        """REPLACES the ranges that may connect to the database."""
        path = "/projects/{}/network-restrictions/apply"
        wanted = {"dbAllowedCidrs": list(v4), "dbAllowedCidrsV6": list(v6)}
        return await self._one(NetworkRestrictions, "POST", path, self._ref(project), json=wanted)

    async def get_ssl_enforcement(self, project: str | None = None) -> SslEnforcement:
        """Whether connections without TLS are refused."""
        return await self._one(SslEnforcement, "GET", "/projects/{}/ssl-enforcement", self._ref(project))

    async def set_ssl_enforcement(self, enforced: bool, *, project: str | None = None) -> SslEnforcement:
        """Refuse connections without TLS, or accept them. The database restarts."""
        path, wanted = "/projects/{}/ssl-enforcement", {"requestedConfig": {"database": enforced}}
        return await self._one(SslEnforcement, "PUT", path, self._ref(project), json=wanted)

    async def list_banned_addresses(self, project: str | None = None) -> list[str]:
        """Addresses that are shut out after failed logins."""
        path = "/v1/projects/{}/network-bans/retrieve"
        reply = await self.http.call("POST", path, self._ref(project), repeatable=True)
        return list(reply.parsed(BannedAddresses).banned_ipv4_addresses)


class DatabaseSettings(Endpoints):
    """Disk, compute, pooler, Postgres and the Data API."""

    async def get_disk(self, project: str | None = None) -> Disk:
        """The database's disk."""
        return await self._one(Disk, "GET", "/projects/{}/config/disk", self._ref(project))

    async def get_disk_utilization(self, project: str | None = None) -> DiskUtilization:
        """How full it is."""
        path = "/projects/{}/config/disk/util"
        return await self._one(DiskUtilization, "GET", path, self._ref(project))

    async def get_disk_autoscale(self, project: str | None = None) -> DiskAutoscale:
        """How it grows by itself."""
        path = "/projects/{}/config/disk/autoscale"
        return await self._one(DiskAutoscale, "GET", path, self._ref(project))

    async def get_addons(self, project: str | None = None) -> Addons:
        """Compute and other add-ons, with live prices."""
        return await self._one(Addons, "GET", "/projects/{}/billing/addons", self._ref(project))

    async def set_addon(self, kind: str, variant: str, *, project: str | None = None) -> None:
        """Change an add-on and what it costs; another compute size restarts the database."""
        wanted = {"addon_type": kind, "addon_variant": variant}
        await self._done("PATCH", "/projects/{}/billing/addons", self._ref(project), json=wanted)

    async def list_pooler_configs(self, project: str | None = None) -> list[PoolerConfig]:
        """The connection pooler, for the primary and each replica."""
        return await self._list(PoolerConfig, "/projects/{}/config/database/pooler", self._ref(project))

    async def set_pool_size(self, size: int, *, project: str | None = None) -> None:
        """Change how many connections the pooler opens for each user and database."""
        if not 0 <= size <= 3_000:
            raise InvalidInput("A pool size is from 0 to 3000.")
        wanted = {"default_pool_size": size}
        await self._done("PATCH", "/projects/{}/config/database/pooler", self._ref(project), json=wanted)

    async def get_postgres_config(self, project: str | None = None) -> PostgresConfig:
        """Settings of Postgres that differ from the defaults."""
        path = "/projects/{}/config/database/postgres"
        return await self._one(PostgresConfig, "GET", path, self._ref(project))

    async def update_postgres_config(
        self, changes: Mapping[str, Any], *, restart: bool = False, project: str | None = None
    ) -> PostgresConfig:
        """Change settings of Postgres; those that are not named stay."""
        if not changes:
            raise InvalidInput("Nothing to change was given.")
        path, wanted = "/projects/{}/config/database/postgres", {**changes, "restart_database": restart}
        return await self._one(PostgresConfig, "PUT", path, self._ref(project), json=wanted)

    async def get_data_api_config(self, project: str | None = None) -> DataApiConfig:
        """Which schemas the Data API serves."""
        return await self._one(DataApiConfig, "GET", "/projects/{}/postgrest", self._ref(project))

    async def get_upgrade_eligibility(self, project: str | None = None) -> UpgradeEligibility:
        """Whether and to what Postgres can be upgraded."""
        path = "/projects/{}/upgrade/eligibility"
        return await self._one(UpgradeEligibility, "GET", path, self._ref(project))

    async def get_read_only_mode(self, project: str | None = None) -> ReadOnlyMode:
        """Whether the database refuses writes."""
        return await self._one(ReadOnlyMode, "GET", "/projects/{}/readonly", self._ref(project))
