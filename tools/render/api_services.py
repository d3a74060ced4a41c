"""Services: what they are, and what changes how they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.errors import InvalidInput
from tools.http.secret import Secret
from tools.render.endpoints import Endpoints, Names, at_least, given
from tools.render.models import (
    Autoscaling,
    CustomDomain,
    EnvGroup,
    EnvVar,
    Instance,
    OutboundAddresses,
    SecretFile,
    Service,
)


class Services(Endpoints):
    """Services, instances and domains."""

    async def list_services(
        self,
        *,
        owner: Names | None = None,
        name: Names | None = None,
        kind: Names | None = None,
        environment: Names | None = None,
        region: Names | None = None,
        previews: bool | None = None,
        most: int = 1_000,
    ) -> list[Service]:
        """The services that the key reaches."""
        params = {
            "ownerId": owner, "name": name, "type": kind, "environmentId": environment,
            "region": region, "includePreviews": previews,
        }  # fmt: skip
        return await self._all(Service, "service", "/services", params=params, most=most)

    async def get_service(self, service: str) -> Service:
        """One service."""
        return await self._one(Service, "GET", "/services/{}", service)

    async def update_service(
        self,
        service: str,
        *,
        auto_deploy: bool | None = None,
        branch: str | None = None,
        name: str | None = None,
        plan: str | None = None,
        health_check_path: str | None = None,
        pre_deploy_command: str | None = None,
        build_command: str | None = None,
        start_command: str | None = None,
        docker_command: str | None = None,
        schedule: str | None = None,
        max_shutdown_delay_seconds: int | None = None,
        build_filter: Mapping[str, list[str]] | None = None,
        ip_allow_list: Sequence[Mapping[str, str]] | None = None,
        maintenance_mode: Mapping[str, Any] | None = None,
    ) -> Service:
        """Change fields of a service; the rest stays. Most take effect with the next deploy."""
        specific = {
            "buildCommand": build_command, "startCommand": start_command, "dockerCommand": docker_command,
        }  # fmt: skip
        specific = {key: value for key, value in specific.items() if value is not None}
        details = {
            "plan": plan,
            "healthCheckPath": health_check_path,
            "preDeployCommand": pre_deploy_command,
            "schedule": schedule,
            "maxShutdownDelaySeconds": max_shutdown_delay_seconds,
            "ipAllowList": ip_allow_list,
            "maintenanceMode": maintenance_mode,
            "envSpecificDetails": specific or None,
        }
        details = {key: value for key, value in details.items() if value is not None}
        fields = given(
            autoDeploy=None if auto_deploy is None else "yes" if auto_deploy else "no",
            branch=branch,
            name=name,
            buildFilter=build_filter,
            serviceDetails=details or None,
        )
        return await self._one(Service, "PATCH", "/services/{}", service, json=fields)

    async def suspend_service(self, service: str) -> None:
        """Switch a service off."""
        await self._done("POST", "/services/{}/suspend", service)

    async def resume_service(self, service: str) -> None:
        """Switch a suspended service on: this deploys it."""
        await self._done("POST", "/services/{}/resume", service)

    async def restart_service(self, service: str) -> None:
        """Replace the instances by new ones of the same release. Not for cron jobs."""
        await self._done("POST", "/services/{}/restart", service)

    async def scale_service(self, service: str, instances: int) -> None:
        """Set the number of instances. Render ignores this while autoscaling is on."""
        count = at_least("instances", instances, 0, 100)
        await self._done("POST", "/services/{}/scale", service, json={"numInstances": count})

    async def set_autoscaling(
        self,
        service: str,
        *,
        lowest: int,
        highest: int,
        cpu: int | None = None,
        memory: int | None = None,
        enabled: bool = True,
    ) -> Autoscaling:
        """Keep from `lowest` to `highest` instances, aiming at a percentage of CPU or memory or both."""
        at_least("lowest", lowest, 1, 100)
        at_least("highest", highest, lowest, 100)
        if enabled and cpu is None and memory is None:
            raise InvalidInput("Autoscaling needs a target for CPU or for memory.")
        criteria = {
            kind: {"enabled": target is not None, "percentage": at_least(kind, target or 70, 1, 100)}
            for kind, target in (("cpu", cpu), ("memory", memory))
        }
        wanted = {"enabled": enabled, "min": lowest, "max": highest, "criteria": criteria}
        return await self._one(Autoscaling, "PUT", "/services/{}/autoscaling", service, json=wanted)

    async def delete_autoscaling(self, service: str) -> None:
        """Turn autoscaling off and forget its settings."""
        await self._done("DELETE", "/services/{}/autoscaling", service)

    async def list_instances(self, service: str) -> list[Instance]:
        """The running instances."""
        return await self._plain(Instance, "/services/{}/instances", service)

    async def list_custom_domains(self, service: str) -> list[CustomDomain]:
        """The domains of a service."""
        return await self._all(CustomDomain, "customDomain", "/services/{}/custom-domains", service)

    async def verify_custom_domain(self, service: str, domain: str) -> None:
        """Ask Render to look at the domain's DNS now."""
        await self._done("POST", "/services/{}/custom-domains/{}/verify", service, domain)

    async def get_outbound_addresses(self, service: str) -> OutboundAddresses:
        """The addresses it calls from. Only in Render's SDK specification: may answer 404."""
        return await self._one(OutboundAddresses, "GET", "/services/{}/outbound-ips", service)

    async def purge_cache(self, service: str) -> None:
        """Empty the cache in front of a web service."""
        await self._done("POST", "/services/{}/cache/purge", service)


class Environments(Endpoints):
    """Environment variables, secret files and environment groups. No method replaces a whole set."""

    async def list_env_vars(self, service: str) -> list[EnvVar]:
        """The service's own variables; those of its groups are not among them."""
        return await self._all(EnvVar, "envVar", "/services/{}/env-vars", service)

    async def get_env_var(self, service: str, key: str) -> EnvVar:
        """One variable."""
        return await self._one(EnvVar, "GET", "/services/{}/env-vars/{}", service, key)

    async def set_env_var(self, service: str, key: str, value: Secret) -> EnvVar:
        """Add or change one variable. Nothing is deployed: it is in force from the next deploy on."""
        return await self._one(EnvVar, "PUT", "/services/{}/env-vars/{}", service, key, json={"value": value})

    async def delete_env_var(self, service: str, key: str) -> None:
        """Remove one variable. Nothing is deployed."""
        await self._done("DELETE", "/services/{}/env-vars/{}", service, key)

    async def list_secret_files(self, service: str) -> list[SecretFile]:
        """The secret files."""
        return await self._all(SecretFile, "secretFile", "/services/{}/secret-files", service)

    async def set_secret_file(self, service: str, name: str, content: Secret) -> None:
        """Add or change one secret file."""
        await self._done("PUT", "/services/{}/secret-files/{}", service, name, json={"content": content})

    async def delete_secret_file(self, service: str, name: str) -> None:
        """Remove one secret file."""
        await self._done("DELETE", "/services/{}/secret-files/{}", service, name)

    async def list_env_groups(
        self, *, owner: Names | None = None, environment: Names | None = None
    ) -> list[EnvGroup]:
        """The environment groups, with the services they are linked to, without their variables."""
        params = {"ownerId": owner, "environmentId": environment}
        return await self._all(EnvGroup, "envGroup", "/env-groups", params=params)

    async def get_env_group(self, group: str) -> EnvGroup:
        """One group with its variables and files."""
        return await self._one(EnvGroup, "GET", "/env-groups/{}", group)

    async def set_env_group_var(self, group: str, key: str, value: Secret) -> None:
        """Add or change one variable of a group."""
        await self._done("PUT", "/env-groups/{}/env-vars/{}", group, key, json={"value": value})

    async def delete_env_group_var(self, group: str, key: str) -> None:
        """Remove one variable of a group."""
        await self._done("DELETE", "/env-groups/{}/env-vars/{}", group, key)

    async def link_env_group(self, group: str, service: str) -> None:
        """Give a service the variables of a group."""
        await self._done("POST", "/env-groups/{}/services/{}", group, service)

    async def unlink_env_group(self, group: str, service: str) -> None:
        """Take them away again."""
        await self._done("DELETE", "/env-groups/{}/services/{}", group, service)
