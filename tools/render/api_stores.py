"""Postgres, Key Value and disks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tools.render.endpoints import Endpoints, Names, at_least, given
from tools.render.models_stores import (
    Disk,
    KeyValue,
    KeyValueConnection,
    Postgres,
    PostgresConnection,
    PostgresExport,
    Process,
    Processes,
    Recovery,
    RelationSize,
    RelationSizes,
    Snapshot,
    TableScan,
    TableScans,
    TopQueries,
    TopQuery,
)


class PostgresDatabases(Endpoints):
    """Render's own Postgres. The four `*_statistics` are only in its SDK's specification: perhaps 404."""

    async def list_postgres(
        self, *, owner: Names | None = None, environment: Names | None = None, replicas: bool | None = None
    ) -> list[Postgres]:
        """The databases."""
        params = {"ownerId": owner, "environmentId": environment, "includeReplicas": replicas}
        return await self._all(Postgres, "postgres", "/postgres", params=params)

    async def get_postgres(self, database: str) -> Postgres:
        """One database."""
        return await self._one(Postgres, "GET", "/postgres/{}", database)

    async def get_postgres_connection(self, database: str) -> PostgresConnection:
        """How to connect."""
        return await self._one(PostgresConnection, "GET", "/postgres/{}/connection-info", database)

    async def update_postgres(
        self,
        database: str,
        *,
        name: str | None = None,
        plan: str | None = None,
        disk_size_gb: int | None = None,
        disk_autoscaling: bool | None = None,
        high_availability: bool | None = None,
        ip_allow_list: Sequence[Mapping[str, str]] | None = None,
    ) -> Postgres:
        """Change a database. A new plan restarts it; a disk never becomes smaller again."""
        fields = given(
            name=name,
            plan=plan,
            diskSizeGB=disk_size_gb,
            enableDiskAutoscaling=disk_autoscaling,
            enableHighAvailability=high_availability,
            ipAllowList=ip_allow_list,
        )
        return await self._one(Postgres, "PATCH", "/postgres/{}", database, json=fields)

    async def suspend_postgres(self, database: str) -> None:
        """Switch it off."""
        await self._done("POST", "/postgres/{}/suspend", database)

    async def resume_postgres(self, database: str) -> None:
        """Switch it on."""
        await self._done("POST", "/postgres/{}/resume", database)

    async def restart_postgres(self, database: str) -> None:
        """Restart it: connections are cut."""
        await self._done("POST", "/postgres/{}/restart", database)

    async def fail_over_postgres(self, database: str) -> None:
        """Make the standby the primary."""
        await self._done("POST", "/postgres/{}/failover", database)

    async def get_recovery(self, database: str) -> Recovery:
        """Whether and how far back it can be recovered."""
        return await self._one(Recovery, "GET", "/postgres/{}/recovery", database)

    async def recover_postgres(
        self, database: str, to: datetime, *, name: str | None = None, plan: str | None = None
    ) -> Postgres:
        """A NEW database as this one was at that time; this one is not touched."""
        from tools.http.transport import as_text

        fields = given(restoreTime=as_text(to), restoreName=name, plan=plan)
        return await self._one(Postgres, "POST", "/postgres/{}/recovery", database, json=fields)

    async def list_postgres_exports(self, database: str) -> list[PostgresExport]:
        """The logical backups."""
        return await self._plain(PostgresExport, "/postgres/{}/export", database)

    async def create_postgres_export(self, database: str) -> None:
        """Start a logical backup."""
        await self._done("POST", "/postgres/{}/export", database)

    async def get_process_statistics(self, database: str) -> list[Process]:
        """Running queries."""
        found = await self._one(Processes, "GET", "/postgres/{}/query/processes", database)
        return list(found.processes)

    async def get_query_statistics(self, database: str) -> list[TopQuery]:
        """The fifty statements that cost most."""
        found = await self._one(TopQueries, "GET", "/postgres/{}/query/top-queries", database)
        return list(found.top_queries)

    async def get_size_statistics(self, database: str) -> list[RelationSize]:
        """Sizes of databases, tables and indexes."""
        found = await self._one(RelationSizes, "GET", "/postgres/{}/query/sizes", database)
        return list(found.sizes)

    async def get_scan_statistics(self, database: str) -> list[TableScan]:
        """Sequential scans by table."""
        found = await self._one(TableScans, "GET", "/postgres/{}/query/table-scans", database)
        return list(found.table_scans)


class KeyValues(Endpoints):
    """Key Value (Redis)."""

    async def list_key_values(
        self, *, owner: Names | None = None, environment: Names | None = None
    ) -> list[KeyValue]:
        """The instances."""
        params = {"ownerId": owner, "environmentId": environment}
        return await self._all(KeyValue, "keyValue", "/key-value", params=params)

    async def get_key_value(self, instance: str) -> KeyValue:
        """One instance."""
        return await self._one(KeyValue, "GET", "/key-value/{}", instance)

    async def get_key_value_connection(self, instance: str) -> KeyValueConnection:
        """How to connect."""
        return await self._one(KeyValueConnection, "GET", "/key-value/{}/connection-info", instance)

    async def update_key_value(
        self,
        instance: str,
        *,
        name: str | None = None,
        plan: str | None = None,
        maxmemory_policy: str | None = None,
        ip_allow_list: Sequence[Mapping[str, str]] | None = None,
    ) -> KeyValue:
        """Change an instance."""
        fields = given(name=name, plan=plan, maxmemoryPolicy=maxmemory_policy, ipAllowList=ip_allow_list)
        return await self._one(KeyValue, "PATCH", "/key-value/{}", instance, json=fields)

    async def suspend_key_value(self, instance: str) -> None:
        """Switch it off."""
        await self._done("POST", "/key-value/{}/suspend", instance)

    async def resume_key_value(self, instance: str) -> None:
        """Switch it on."""
        await self._done("POST", "/key-value/{}/resume", instance)


class Disks(Endpoints):
    """Disks and their snapshots."""

    async def list_disks(self, *, owner: Names | None = None, service: Names | None = None) -> list[Disk]:
        """The disks."""
        params = {"ownerId": owner, "serviceId": service}
        return await self._all(Disk, "disk", "/disks", params=params)

    async def get_disk(self, disk: str) -> Disk:
        """One disk."""
        return await self._one(Disk, "GET", "/disks/{}", disk)

    async def grow_disk(self, disk: str, size_gb: int) -> Disk:
        """Make a disk larger; it never becomes smaller again."""
        fields = {"sizeGB": at_least("size_gb", size_gb, 1, 100_000)}
        return await self._one(Disk, "PATCH", "/disks/{}", disk, json=fields)

    async def list_snapshots(self, disk: str) -> list[Snapshot]:
        """The snapshots of a disk."""
        return await self._plain(Snapshot, "/disks/{}/snapshots", disk)

    async def restore_snapshot(self, disk: str, key: str, *, instance: str | None = None) -> Disk:
        """Put a disk back. This cannot be undone, and may deploy the service."""
        fields = given(snapshotKey=key, instanceId=instance)
        return await self._one(Disk, "POST", "/disks/{}/snapshots/restore", disk, json=fields)
