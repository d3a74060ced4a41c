"""What a deploy writes into the log: the build, the pre-deploy command, the start of the new instance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.world import Deploy, Hosted, LogType, World


def build_log(world: World, hosted: Hosted, deploy: Deploy, behaviour: Behaviour, start: datetime) -> None:
    """The build, as `type` build."""
    spec = hosted.spec
    commit = deploy.commit.id if deploy.commit else "HEAD"
    lines = [
        f"==> Cloning from {spec.repo}",
        f"==> Checking out commit {commit} in branch {spec.branch}",
        "==> Using Node.js version 22.11.0 via /opt/render/project/src/.node-version",
        f"==> Running build command '{spec.build_command}'...",
    ]
    usual = (
        "added 812 packages, and audited 813 packages in 21s",
        "found 0 vulnerabilities",
        "> build",
        "Compiled successfully",
    )
    lines.extend(behaviour.build_lines or usual)
    if behaviour.build == "fails":
        lines.append("==> Build failed 😞")
        lines.append(
            "==> Common ways to troubleshoot your deploy: https://render.com/docs/troubleshooting-deploys"
        )
    else:
        lines.extend(("==> Uploading build...", "==> Build uploaded in 9s", "==> Build successful 🎉"))
    seconds = behaviour.build_seconds * (1.6 if deploy.clear_cache else 1.0)
    _spread(world, deploy, lines, start, seconds, "build")


def pre_deploy_log(
    world: World, hosted: Hosted, deploy: Deploy, behaviour: Behaviour, start: datetime
) -> None:
    """The pre-deploy command, on an instance of its own."""
    lines = ["==> Starting pre-deploy: " + hosted.spec.pre_deploy_command]
    lines.extend(behaviour.pre_deploy_lines or ("No pending migrations",))
    lines.append("==> Pre-deploy failed" if behaviour.pre_deploy == "fails" else "==> Pre-deploy complete!")
    _spread(world, deploy, lines, start, behaviour.pre_deploy_seconds, "app")


def started_log(
    world: World,
    hosted: Hosted,
    deploy: Deploy,
    said: Sequence[str],
    start: datetime,
    seconds: float,
    *,
    live: bool,
) -> None:
    """The first instance of the new release, up to where it serves or is given up."""
    spec = hosted.spec
    lines = ["==> Deploying..."]
    if spec.kind not in ("static_site", "cron_job"):
        lines.append(f"==> Running '{spec.start_command or 'docker command'}'")
    lines.extend(said)
    if live and spec.kind in ("web_service", "private_service"):
        lines.append(f"listening on 0.0.0.0:{spec.ports[0] if spec.ports else 10000}")
        lines.append(f"==> Detected service running on port {spec.ports[0] if spec.ports else 10000}")
    if live:
        lines.append(
            "==> Your service is live 🎉" if spec.kind != "static_site" else "==> Your site is live 🎉"
        )
    _spread(world, deploy, lines, start, seconds, "app", first_instance(deploy))


def first_instance(deploy: Deploy) -> str:
    """The id of the first instance of a release."""
    return f"{deploy.service_id}-{deploy.id[-9:-5]}-{deploy.id[-5:]}"


def _spread(
    world: World,
    deploy: Deploy,
    lines: Sequence[str],
    start: datetime,
    seconds: float,
    kind: LogType,
    instance: str = "",
) -> None:
    step = max(0.0, seconds - 0.2) / max(1, len(lines))
    for index, text in enumerate(lines):
        at = start + timedelta(seconds=step * index + 0.1, microseconds=index)
        wrong = any(word in text for word in ("Error", "ERR!", "failed", "FATAL", "fatal"))
        world.wrote(
            deploy.service_id,
            at,
            text,
            type=kind,
            level="error" if wrong else "info",
            instance=instance,
            origin=deploy.id,
        )
