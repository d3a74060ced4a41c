"""Postgres, Key Value and disks, as Render answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tools.http.secret import Secret
from tools.http.wire import Moment, Wire
from tools.render.models import AllowedRange, Named


class Postgres(Wire):
    """One database. `ip_allow_list` is None where Render says null, as it often does."""

    id: str
    name: str = ""
    plan: str = ""
    status: str = ""
    role: str = ""
    version: str = ""
    region: str = ""
    owner: Named | None = None
    environment_id: str = ""
    project: Mapping[str, Any] | None = None
    database_name: str = ""
    database_user: str = ""
    disk_size_gb: int | None = Field(default=None, alias="diskSizeGB")
    disk_autoscaling_enabled: bool | None = None
    high_availability_enabled: bool = False
    ip_allow_list: tuple[AllowedRange, ...] | None = None
    read_replicas: tuple[Named, ...] = ()
    primary_postgres_id: str = Field(default="", alias="primaryPostgresID")
    parameter_overrides: Mapping[str, Any] = {}
    maintenance: Mapping[str, Any] | None = None
    suspended: str = ""
    suspenders: tuple[str, ...] = ()
    dashboard_url: str = ""
    created_at: Moment = None
    updated_at: Moment = None
    expires_at: Moment = None


class PostgresConnection(Wire):
    """How to connect. All of it is secret."""

    password: Secret = Secret("")
    internal_connection_string: Secret = Secret("")
    external_connection_string: Secret = Secret("")
    psql_command: Secret = Secret("")


class Recovery(Wire):
    """Whether it can be recovered to a point in time, and from when on."""

    recovery_status: str = ""
    starts_at: Moment = None


class PostgresExport(Wire):
    """A logical backup. The URL gives the whole database to whoever has it."""

    id: str
    created_at: Moment = None
    url: Secret = Secret("")


class Process(Wire):
    """A running query, from pg_stat_activity."""

    pid: int | None = None
    database_name: str = ""
    username: str = ""
    application_name: str = ""
    state: str = ""
    wait_event: str = ""
    wait_event_type: str = ""
    query_start: Moment = None
    duration: float | None = None
    query: str = ""


class Processes(Wire):
    """The running queries."""

    processes: tuple[Process, ...] = ()


class TopQuery(Wire):
    """A statement of pg_stat_statements."""

    query_id: str = ""
    query: str = ""
    calls: float = 0
    rows: float = 0
    total_time_ms: float = 0
    mean_time_ms: float = 0
    max_time_ms: float = 0
    shared_blocks_hit: float = 0
    shared_blocks_read: float = 0
    temp_blocks_written: float = 0


class TopQueries(Wire):
    """At most fifty statements."""

    top_queries: tuple[TopQuery, ...] = ()


class RelationSize(Wire):
    """The size of a database, table or index. The vendor writes these names with capitals."""

    database: str = Field(default="", alias="Database")
    schema_name: str = Field(default="", alias="Schema")
    table: str = Field(default="", alias="Table")
    index: str = Field(default="", alias="Index")
    size: float = Field(default=0, alias="Bytes")


class RelationSizes(Wire):
    """Sizes."""

    sizes: tuple[RelationSize, ...] = ()


class TableScan(Wire):
    """How often a table was read from end to end."""

    database: str = Field(default="", alias="Database")
    schema_name: str = Field(default="", alias="Schema")
    table: str = Field(default="", alias="Table")
    scans: float = Field(default=0, alias="Scans")


class TableScans(Wire):
    """Sequential scans."""

    table_scans: tuple[TableScan, ...] = ()


class KeyValue(Wire):
    """One Key Value (Redis) instance."""

    id: str
    name: str = ""
    plan: str = ""
    status: str = ""
    version: str = ""
    region: str = ""
    owner: Named | None = None
    environment_id: str = ""
    options: Mapping[str, Any] = {}
    ip_allow_list: tuple[AllowedRange, ...] | None = None
    maintenance: Mapping[str, Any] | None = None
    suspended: str = ""
    created_at: Moment = None
    updated_at: Moment = None


class KeyValueConnection(Wire):
    """How to connect. All of it is secret."""

    internal_connection_string: Secret = Secret("")
    external_connection_string: Secret = Secret("")
    cli_command: Secret = Secret("")


class Disk(Wire):
    """A disk. With one, a service has one instance and no zero-downtime deploy."""

    id: str
    name: str = ""
    size_gb: int | None = Field(default=None, alias="sizeGB")
    mount_path: str = ""
    service_id: str = ""
    created_at: Moment = None
    updated_at: Moment = None


class Snapshot(Wire):
    """A snapshot of a disk. Its key is good for 24 hours."""

    snapshot_key: str = ""
    instance_id: str = ""
    created_at: Moment = None
