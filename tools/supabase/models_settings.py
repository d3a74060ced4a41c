"""Network, disk, compute, pooler and Postgres settings of a project, as Supabase answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tools.http.secret import Secret
from tools.http.wire import Moment, SnakeWire, Wire


class AllowedRanges(Wire):
    """Addresses that may connect to the database."""

    db_allowed_cidrs: tuple[Any, ...] = Field(default=(), alias="dbAllowedCidrs")
    db_allowed_cidrs_v6: tuple[Any, ...] = Field(default=(), alias="dbAllowedCidrsV6")


class NetworkRestrictions(SnakeWire):
    """Who may connect to the database. `0.0.0.0/0` is anybody."""

    entitlement: str = ""
    status: str = ""
    config: AllowedRanges = AllowedRanges()
    old_config: AllowedRanges | None = None
    updated_at: Moment = None
    applied_at: Moment = None


class DatabaseSwitch(SnakeWire):
    """A switch for connections to the database."""

    database: bool = False


class SslEnforcement(Wire):
    """Whether connections without TLS are refused."""

    current_config: DatabaseSwitch = DatabaseSwitch()
    applied_successfully: bool = False


class BannedAddresses(SnakeWire):
    """Addresses that are shut out after failed logins."""

    banned_ipv4_addresses: tuple[str, ...] = ()


class DiskAttributes(SnakeWire):
    """A disk's size and speed."""

    type: str = ""
    size_gb: int | None = None
    iops: int | None = None
    throughput_mibps: int | None = None


class Disk(SnakeWire):
    """The database's disk."""

    attributes: DiskAttributes = DiskAttributes()
    last_modified_at: Moment = None


class DiskMetrics(SnakeWire):
    """Bytes of the database's file system."""

    fs_size_bytes: float | None = None
    fs_avail_bytes: float | None = None
    fs_used_bytes: float | None = None


class DiskUtilization(SnakeWire):
    """How full the disk is."""

    timestamp: Moment = None
    metrics: DiskMetrics = DiskMetrics()


class DiskAutoscale(SnakeWire):
    """How the disk grows by itself."""

    growth_percent: int | None = None
    min_increment_gb: int | None = None
    max_size_gb: int | None = None


class Price(SnakeWire):
    """A price as the API gives it."""

    description: str = ""
    type: str = ""
    interval: str = ""
    amount: float | None = None


class AddonVariant(SnakeWire):
    """One size or kind of an add-on."""

    id: str = ""
    name: str = ""
    price: Price = Price()
    meta: Any = None


class SelectedAddon(SnakeWire):
    """An add-on that is in use."""

    type: str = ""
    variant: AddonVariant = AddonVariant()


class AvailableAddon(SnakeWire):
    """An add-on that could be."""

    type: str = ""
    name: str = ""
    variants: tuple[AddonVariant, ...] = ()


class Addons(SnakeWire):
    """Add-ons with their live prices; compute is one of them."""

    selected_addons: tuple[SelectedAddon, ...] = ()
    available_addons: tuple[AvailableAddon, ...] = ()


class PoolerConfig(SnakeWire):
    """The connection pooler of one database."""

    identifier: str = ""
    database_type: str = ""
    db_host: str = ""
    db_port: int | None = None
    db_name: str = ""
    pool_mode: str = ""
    default_pool_size: int | None = None
    max_client_conn: int | None = None
    connection_string: Secret = Secret("")


class PostgresConfig(SnakeWire):
    """Settings of Postgres that differ from the defaults."""

    max_connections: int | None = None
    statement_timeout: str = ""
    work_mem: str = ""
    shared_buffers: str = ""


class DataApiConfig(SnakeWire):
    """PostgREST: which schemas are served, and how much at once."""

    db_schema: str = ""
    db_extra_search_path: str = ""
    max_rows: int | None = None
    db_pool: int | None = None
    jwt_secret: Secret = Secret("")

    @property
    def schemas(self) -> tuple[str, ...]:
        """The schemas that are served; none while the Data API is off."""
        return tuple(filter(None, (schema.strip() for schema in self.db_schema.split(","))))


class UpgradeEligibility(SnakeWire):
    """Whether and to what Postgres can be upgraded."""

    eligible: bool = False
    current_app_version: str = ""
    latest_app_version: str = ""
    target_upgrade_versions: tuple[Mapping[str, Any], ...] = ()
    duration_estimate_hours: float | None = None
    unsupported_extensions: tuple[str, ...] = ()


class ReadOnlyMode(SnakeWire):
    """Whether the database refuses writes, as it does when the disk is full."""

    enabled: bool = False
    override_enabled: bool = False
    override_active_until: Moment = None
