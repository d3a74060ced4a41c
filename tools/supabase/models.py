"""Projects, Edge Functions, secrets, logs, backups and branches, as Supabase answers.

Statuses are open strings. A value that is a secret (an API key, a function's secret, an SMTP password) can be
compared and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.http.secret import Secret
from tools.http.wire import Moment, SnakeWire

HEALTH_SERVICES: Final = ("auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage")


class ProjectDatabase(SnakeWire):
    """A project's database."""

    host: str = ""
    version: str = ""
    postgres_engine: str = ""
    release_channel: str = ""


class Project(SnakeWire):
    """One project. `ref` is the 20 letters that stand in its URL; older answers only have `id`."""

    id: str = ""
    ref: str = ""
    name: str = ""
    region: str = ""
    status: str = ""
    organization_id: str = ""
    organization_slug: str = ""
    created_at: Moment = None
    database: ProjectDatabase | None = None


class Organization(SnakeWire):
    """An organization."""

    id: str = ""
    slug: str = ""
    name: str = ""


class OrganizationMember(SnakeWire):
    """A member of an organization."""

    user_id: str = ""
    user_name: str = ""
    email: str = ""
    role_name: str = ""
    mfa_enabled: bool | None = None


class ServiceHealth(SnakeWire):
    """The health of one of a project's services."""

    name: str
    healthy: bool = False
    status: str = ""
    error: str = ""
    info: Mapping[str, Any] = {}


class Function(SnakeWire):
    """An Edge Function. Supabase keeps no former versions: save its bundle before a deploy."""

    id: str = ""
    slug: str
    name: str = ""
    status: str = ""
    version: int | None = None
    verify_jwt: bool | None = None
    import_map: bool | None = None
    entrypoint_path: str = ""
    import_map_path: str = ""
    ezbr_sha256: str = ""
    created_at: Moment = None
    updated_at: Moment = None


@dataclass(frozen=True, slots=True)
class FunctionBundle:
    """What is deployed of a function, as the API gives it: multipart or a compressed bundle."""

    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a function to deploy; `name` is its path, relative to the function's folder."""

    name: str
    content: bytes = field(repr=False)


class FunctionSecret(SnakeWire):
    """A secret of Edge Functions. What Supabase answers as its value is itself a digest, and hidden too."""

    name: str
    value: Secret = Secret("")
    updated_at: Moment = None


class ApiKey(SnakeWire):
    """An API key of a project."""

    id: str = ""
    name: str = ""
    type: str = ""
    prefix: str = ""
    description: str = ""
    api_key: Secret = Secret("")
    hash: Secret = Secret("")
    inserted_at: Moment = None
    updated_at: Moment = None


class Switch(SnakeWire):
    """Something that is on or off."""

    enabled: bool = False


class SigningKey(SnakeWire):
    """A key that signs users' tokens."""

    id: str = ""
    algorithm: str = ""
    status: str = ""
    created_at: Moment = None
    updated_at: Moment = None


class SigningKeys(SnakeWire):
    """The signing keys."""

    keys: tuple[SigningKey, ...] = ()


class AuthConfig(SnakeWire):
    """The settings of Auth, over 200 of them; secrets among them are digests."""

    def setting(self, name: str) -> Any:
        """One setting; None where it is not set or not known."""
        return (self.model_extra or {}).get(name)


class Advice(SnakeWire):
    """One finding of Supabase's advisors."""

    name: str = ""
    title: str = ""
    level: str = ""
    categories: tuple[str, ...] = ()
    description: str = ""
    detail: str = ""
    remediation: str = ""
    metadata: Mapping[str, Any] = {}
    cache_key: str = ""


class Advices(SnakeWire):
    """The findings of one advisor."""

    lints: tuple[Advice, ...] = ()


class Backup(SnakeWire):
    """One backup."""

    id: str = ""
    status: str = ""
    is_physical_backup: bool | None = None
    inserted_at: Moment = None


class PhysicalBackups(SnakeWire):
    """The span that point-in-time recovery covers."""

    earliest_physical_backup_date_unix: int | None = None
    latest_physical_backup_date_unix: int | None = None


class Backups(SnakeWire):
    """A project's backups."""

    region: str = ""
    walg_enabled: bool | None = None
    pitr_enabled: bool | None = None
    backups: tuple[Backup, ...] = ()
    physical_backup_data: PhysicalBackups = PhysicalBackups()


class RestorePoint(SnakeWire):
    """A named point to come back to."""

    name: str = ""
    status: str = ""
    completed_on: Moment = None


class Branch(SnakeWire):
    """A branch of a project's database."""

    id: str = ""
    name: str = ""
    project_ref: str = ""
    parent_project_ref: str = ""
    is_default: bool = False
    git_branch: str = ""
    pr_number: int | None = None
    persistent: bool = False
    with_data: bool = False
    status: str = ""
    preview_project_status: str = ""
    created_at: Moment = None
    updated_at: Moment = None


class Migration(SnakeWire):
    """A migration that was applied."""

    version: str
    name: str = ""


class Bucket(SnakeWire):
    """A storage bucket."""

    id: str = ""
    name: str = ""
    public: bool = False
    created_at: Moment = None
    updated_at: Moment = None


class LogAnswer(SnakeWire):
    """Rows of a query over logs. `error` may be set although the status is 200."""

    result: tuple[Mapping[str, Any], ...] = ()
    error: Any = None


class ActionRun(SnakeWire):
    """One run of a branch's workflow (migrate, seed, deploy)."""

    id: str = ""
    branch_id: str = ""
    run_steps: tuple[Mapping[str, Any], ...] = ()
    created_at: Moment = None
    updated_at: Moment = None
