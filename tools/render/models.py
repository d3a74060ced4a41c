"""Services, deploys, jobs and their environment, as Render answers.

Plans, statuses and types are open strings: Render renamed its plans in 2026 and adds statuses without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field, field_validator

from tools.http.secret import Secret
from tools.http.wire import Moment, Wire

IN_PROGRESS: Final = frozenset(
    {"created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress"}
)
"""Deploy statuses from which something is still to come."""
FAILED: Final = frozenset({"build_failed", "pre_deploy_failed", "update_failed", "canceled"})
"""Deploy statuses after which the version before still serves."""
LIVE: Final = "live"
SERVICE_TYPES: Final = ("web_service", "private_service", "background_worker", "cron_job", "static_site")


class Named(Wire):
    """Something referred to by id and name."""

    id: str = ""
    name: str = ""
    type: str = ""


class AllowedRange(Wire):
    """One range of addresses that may connect."""

    cidr_block: str
    description: str = ""


class Threshold(Wire):
    """A utilisation, in percent, that autoscaling aims for."""

    enabled: bool = False
    percentage: int | None = None


class Criteria(Wire):
    """What autoscaling looks at."""

    cpu: Threshold = Threshold()
    memory: Threshold = Threshold()


class Autoscaling(Wire):
    """How many instances autoscaling keeps."""

    enabled: bool = False
    min: int = 1
    max: int = 1
    criteria: Criteria = Criteria()


class ServiceDisk(Wire):
    """The disk of a service, as the service shows it."""

    id: str = ""
    name: str = ""
    mount_path: str = ""
    size_gb: int | None = Field(default=None, alias="sizeGB")


class BuildCommands(Wire):
    """How it is built and started: native runtimes have the first two, images and Docker the rest."""

    build_command: str = ""
    start_command: str = ""
    docker_command: str = ""
    docker_context: str = ""
    dockerfile_path: str = ""
    pre_deploy_command: str = ""


class ServiceDetails(Wire):
    """What depends on the kind of service. The vendor's `oneOf` is ambiguous: `Service.type` decides."""

    plan: str = ""
    region: str = ""
    runtime: str = ""
    env: str = ""
    url: str = ""
    num_instances: int | None = None
    autoscaling: Autoscaling | None = None
    disk: ServiceDisk | None = None
    health_check_path: str = ""
    build_plan: str = ""
    build_command: str = ""
    publish_path: str = ""
    pre_deploy_command: str = ""
    env_specific_details: BuildCommands = BuildCommands()
    max_shutdown_delay_seconds: int | None = None
    maintenance_mode: Mapping[str, Any] = {}
    ip_allow_list: tuple[AllowedRange, ...] = ()
    open_ports: tuple[Mapping[str, Any], ...] = ()
    previews: Mapping[str, Any] = {}
    pull_request_previews_enabled: str = ""
    parent_server: Named | None = None
    schedule: str = ""
    last_successful_run_at: Moment = None
    ssh_address: str = ""

    @property
    def pre_deploy(self) -> str:
        """The pre-deploy command: Render has moved it between two places."""
        return self.pre_deploy_command or self.env_specific_details.pre_deploy_command


class Service(Wire):
    """One service."""

    id: str
    name: str = ""
    type: str = ""
    owner_id: str = ""
    environment_id: str = ""
    slug: str = ""
    repo: str = ""
    branch: str = ""
    root_dir: str = ""
    image_path: str = ""
    auto_deploy: str = ""
    auto_deploy_trigger: str = ""
    build_filter: Mapping[str, Any] | None = None
    dashboard_url: str = ""
    suspended: str = ""
    suspenders: tuple[str, ...] = ()
    notify_on_fail: str = ""
    created_at: Moment = None
    updated_at: Moment = None
    service_details: ServiceDetails = ServiceDetails()

    @property
    def is_suspended(self) -> bool:
        """Whether it is switched off."""
        return self.suspended == "suspended"

    @property
    def deploys_by_itself(self) -> bool:
        """Whether a push deploys it."""
        trigger = self.auto_deploy_trigger
        return trigger != "off" if trigger else self.auto_deploy == "yes"


class Commit(Wire):
    """The commit of a deploy."""

    id: str = ""
    message: str = ""
    created_at: Moment = None


class Image(Wire):
    """The image of a deploy; only the digest names one content for good."""

    ref: str = ""
    sha: str = ""


class Deploy(Wire):
    """One deploy."""

    id: str
    status: str = ""
    trigger: str = ""
    commit: Commit | None = None
    image: Image | None = None
    created_at: Moment = None
    started_at: Moment = None
    updated_at: Moment = None
    finished_at: Moment = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it; an unknown status is not over."""
        return self.status in FAILED or self.status in {LIVE, "deactivated"}


class Instance(Wire):
    """One running instance."""

    id: str
    created_at: Moment = None


class EnvVar(Wire):
    """One environment variable: its value can be sent and compared, never shown."""

    key: str
    value: Secret = Secret("")


class SecretFile(Wire):
    """One secret file."""

    name: str
    content: Secret = Secret("")


class EnvGroup(Wire):
    """An environment group; a list has neither its variables nor its files, one group alone has both."""

    id: str
    name: str = ""
    owner_id: str = ""
    environment_id: str = ""
    env_vars: tuple[EnvVar, ...] = ()
    secret_files: tuple[SecretFile, ...] = ()
    service_links: tuple[Named, ...] = ()
    created_at: Moment = None
    updated_at: Moment = None


class Job(Wire):
    """A one-off job."""

    id: str
    service_id: str = ""
    start_command: str = ""
    plan_id: str = ""
    status: str = ""
    created_at: Moment = None
    started_at: Moment = None
    finished_at: Moment = None

    @property
    def is_over(self) -> bool:
        """Whether it ended, well or not."""
        return self.status in {"succeeded", "failed", "canceled"}


class CronRun(Wire):
    """One run of a cron job."""

    id: str
    status: str = ""
    started_at: Moment = None
    finished_at: Moment = None
    triggered_by: str = ""
    canceled_by: str = ""


class CustomDomain(Wire):
    """A domain of a service."""

    id: str
    name: str = ""
    domain_type: str = ""
    public_suffix: str = ""
    redirect_for_name: str = ""
    verification_status: str = ""
    created_at: Moment = None
    server: Named | None = None


class OutboundAddresses(Wire):
    """The addresses a service calls from."""

    type: str = ""
    dedicated_ip_id: str = ""
    ips: tuple[str, ...] = ()

    @field_validator("ips", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return value or ()
