"""Guardian's Supabase project: three edge functions, their secrets, and how the project is set up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from tools.sandbox.platform.dice import hexadecimal
from tools.sandbox.platform.guardian_auth import auth_config
from tools.sandbox.platform.keys import REF
from tools.sandbox.platform.shapes import Json
from tools.sandbox.platform.supabase_state import EdgeFunction, SupabaseProject

ORGANIZATION: Final = {
    "id": "guardian-health",
    "slug": "guardian-health",
    "name": "Guardian Health",
    "plan": "team",
}
FUNCTIONS: Final = (
    ("document-processor", 14, 9.0, 640.0),
    ("document-normalizer", 9, 8.0, 310.0),
    ("quality-guardian", 6, 4.0, 180.0),
)
BUCKETS: Final = (("documents", False), ("avatars", False), ("help-images", True))
MIGRATIONS: Final = (
    ("20260402081500", "profiles_and_access"),
    ("20260511090000", "clinical_events"),
    ("20260630141000", "document_pipeline"),
    ("20260818070000", "quality_flags"),
    ("20261021101500", "healthcare_journey"),
)
COMPUTE: Final = (
    ("ci_micro", 0.01344),
    ("ci_small", 0.0206),
    ("ci_medium", 0.0822),
    ("ci_large", 0.1517),
    ("ci_xlarge", 0.2877),
)


def guardian_project(seed: int, now: datetime) -> SupabaseProject:
    """The project as it is on a normal day."""
    born = now - timedelta(days=230)
    found = SupabaseProject(REF, "guardian-production", "us-east-1", born, dict(ORGANIZATION))
    for slug, version, rate, took in FUNCTIONS:
        key = hexadecimal(32, seed, slug)
        source = f'Deno.serve(async (request) => new Response("{slug} {version}"));\n'.encode()
        own = f"{key[:8]}-{key[8:12]}-4{key[13:16]}-a{key[17:20]}-{key[20:]}"
        changed = now - timedelta(days=3, hours=version)
        protected = slug != "document-processor"
        found.functions[slug] = EdgeFunction(own, slug, version, born, changed, source, protected, rate, took)
    for name in ("VISION_API_KEY", "NORMALIZER_MODEL", "WORKER_WEBHOOK_SECRET"):
        found.secrets[name] = (f"simulated-{name.lower()}", born)
    for name, public in BUCKETS:
        at = _stamp(born)
        found.buckets.append(
            {"id": name, "name": name, "owner": "", "created_at": at, "updated_at": at, "public": public}
        )
    found.migrations.extend({"version": version, "name": name} for version, name in MIGRATIONS)
    for day in range(7):
        at = now.replace(hour=5, minute=12, second=0, microsecond=0) - timedelta(days=day)
        backup = {
            "id": 4_810_000 - day,
            "is_physical_backup": True,
            "status": "COMPLETED",
            "inserted_at": _stamp(at),
        }
        found.backups.append(backup)
    found.branches.append(_branch(born))
    found.records |= _records(born) | {"config/auth": auth_config()}
    return found


def _branch(born: datetime) -> Json:
    return {
        "id": "0a1b2c3d-0000-4000-a000-000000000000",
        "name": "main",
        "project_ref": REF,
        "parent_project_ref": REF,
        "is_default": True,
        "git_branch": "main",
        "persistent": True,
        "status": "FUNCTIONS_DEPLOYED",
        "created_at": _stamp(born),
        "updated_at": _stamp(born),
        "with_data": False,
    }


def _records(born: datetime) -> dict[str, Any]:
    host = f"db.{REF}.supabase.co"
    pooler = "aws-0-us-east-1.pooler.supabase.com"
    line = f"postgres://postgres.{REF}:[YOUR-PASSWORD]" + "@" + f"{pooler}:6543/postgres"
    networks = {"dbAllowedCidrs": ["0.0.0.0/0"], "dbAllowedCidrsV6": ["::/0"]}
    return {
        "pitr": True,
        "disk-used-gb": 31.4,
        "network-restrictions": {"entitlement": "allowed", "config": networks, "status": "applied"},
        "ssl-enforcement": {"currentConfig": {"database": False}, "appliedSuccessfully": True},
        "config/disk": {
            "attributes": {"type": "gp3", "size_gb": 60, "iops": 3000, "throughput_mibps": 125},
            "last_modified_at": _stamp(born),
        },
        "config/disk/autoscale": {"growth_percent": 50, "min_increment_gb": 4, "max_size_gb": 500},
        "config/storage": _storage(),
        "config/realtime": _realtime(),
        "config/database/postgres": {"max_connections": 160, "statement_timeout": "2min", "work_mem": "8MB"},
        "config/database/pgbouncer": {
            "default_pool_size": 20,
            "max_client_conn": 600,
            "pool_mode": "transaction",
        },
        "config/database/pooler": [
            {
                "identifier": REF,
                "database_type": "PRIMARY",
                "is_using_scram_auth": True,
                "db_user": "postgres",
                "db_host": pooler,
                "db_port": 6543,
                "db_name": "postgres",
                "connection_string": line,
                "connectionString": line,
                "default_pool_size": 20,
                "max_client_conn": 800,
                "pool_mode": "transaction",
            }
        ],
        "postgrest": {
            "db_schema": "public",
            "max_rows": 1000,
            "db_extra_search_path": "public,extensions",
            "db_pool": None,
        },
        "readonly": {"enabled": False, "override_enabled": False, "override_active_until": _stamp(born)},
        "upgrade/eligibility": _eligibility(),
        "config/auth/signing-keys": {"keys": []},
        "config/auth/sso/providers": {"items": []},
        "actions": [],
        "action-logs": {},
        "api-keys/legacy": {"enabled": True},
        "billing/addons": _addons(),
        "api-keys": _keys(born),
        "advisors/security": _security(host),
        "advisors/performance": [
            _lint(
                "unindexed_foreign_keys",
                "INFO",
                "PERFORMANCE",
                "document_pages",
                "a foreign key without an index",
            ),
            _lint(
                "auth_rls_initplan",
                "WARN",
                "PERFORMANCE",
                "profile_access",
                "a policy that re-evaluates auth.uid()",
            ),
            _lint(
                "unused_index", "INFO", "PERFORMANCE", "timeline_entries", "an index that has never been used"
            ),
        ],
    }


def _security(host: str) -> list[Json]:
    return [
        _lint("ssl_not_enforced", "WARN", "SECURITY", host, "accepts connections without SSL", "compliance"),
        _lint(
            "network_restrictions_not_set",
            "INFO",
            "SECURITY",
            host,
            "is reachable from all networks",
            "compliance",
        ),
        _lint(
            "auth_leaked_password_protection",
            "WARN",
            "SECURITY",
            "Auth",
            "does not check leaked passwords",
            "auth",
        ),
        _lint(
            "function_search_path_mutable",
            "WARN",
            "SECURITY",
            "claim_job",
            "has a mutable search_path",
            "function",
        ),
    ]


def _lint(name: str, level: str, category: str, entity: str, what: str, kind: str = "table") -> Json:
    return {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "level": level,
        "facing": "EXTERNAL",
        "categories": [category],
        "description": f"Detects {what}.",
        "detail": f"`public.{entity}` {what}",
        "remediation": f"https://supabase.com/docs/guides/database/database-linter?lint={name}",
        "metadata": {"schema": "public", "name": entity, "type": kind},
        "cache_key": f"{name}_public_{entity}",
    }


def _keys(born: datetime) -> list[Json]:
    at = _stamp(born)
    shared = {
        "description": None,
        "hash": None,
        "secret_jwt_template": None,
        "inserted_at": at,
        "updated_at": at,
    }
    public = {
        "name": "default",
        "type": "publishable",
        "prefix": "sb_publishable_9Hk2",
        "id": "7d0f1e52-0000-4000-a000-000000000001",
    }
    secret = {
        "name": "default",
        "type": "secret",
        "prefix": "sb_secret_p4Tn",
        "id": "7d0f1e52-0000-4000-a000-000000000002",
    }
    return [shared | key | {"api_key": f"{key['prefix']}_simulated"} for key in (public, secret)]


def _addons() -> Json:
    def variant(key: str, name: str, hourly: float) -> Json:
        price = {"description": f"${hourly}/hour", "type": "usage", "interval": "hourly", "amount": hourly}
        return {"id": key, "name": name, "price": price}

    sizes = [variant(key, key.removeprefix("ci_").capitalize(), hourly) for key, hourly in COMPUTE]
    recovery = variant("pitr_7", "7 days", 0.137)
    return {
        "selected_addons": [
            {"type": "compute_instance", "variant": sizes[3]},
            {"type": "pitr", "variant": recovery},
        ],
        "available_addons": [
            {"type": "compute_instance", "name": "Compute", "variants": sizes},
            {"type": "pitr", "name": "Point in time recovery", "variants": [recovery]},
        ],
    }


def _storage() -> Json:
    return {
        "fileSizeLimit": 52_428_800,
        "features": {
            "imageTransformation": {"enabled": True},
            "s3Protocol": {"enabled": True},
            "icebergCatalog": {"enabled": False, "maxNamespaces": 0, "maxTables": 0, "maxCatalogs": 0},
            "vectorBuckets": {"enabled": False, "maxBuckets": 0, "maxIndexes": 0},
        },
        "capabilities": {"list_v2": True, "iceberg_catalog": False},
        "external": {"upstreamTarget": "main"},
        "migrationVersion": "optimize-existing-functions",
        "databasePoolMode": "transaction",
    }


def _realtime() -> Json:
    names = (
        "connection_pool max_concurrent_users max_events_per_second max_bytes_per_second"
        " max_channels_per_client max_joins_per_second max_presence_events_per_second max_payload_size_in_kb"
    )
    return dict.fromkeys(names.split()) | {"private_only": False, "suspend": False, "presence_enabled": True}


def _eligibility() -> Json:
    lists = (
        "target_upgrade_versions legacy_auth_custom_roles objects_to_be_dropped unsupported_extensions"
        " user_defined_objects_in_internal_schemas validation_errors warnings"
    )
    empty: Json = {name: [] for name in lists.split()}
    return empty | {
        "eligible": False,
        "current_app_version": "supabase-postgres-17.6.1.054",
        "current_app_version_release_channel": "ga",
        "latest_app_version": "supabase-postgres-17.6.1.054",
        "duration_estimate_hours": 1,
    }


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
