"""The pre-deploy command applies a migration that cannot be applied."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The deploy stops before the new instance; the old release serves."""
    scene.hosted(WEB).change(scene.ago(3000), pre_deploy_command="npm run db:migrate")
    lines = (
        "applying 20261124093000_care_plans.sql",
        'ERROR:  column "care_plan_id" of relation "encounters" already exists (SQLSTATE 42701)',
        "npm error Lifecycle script `db:migrate` failed with error",
    )
    behaviour = Behaviour(pre_deploy="fails", pre_deploy_lines=lines)
    scene.release(WEB, "Care plans", behaviour, scene.some(10, 70))


INCIDENT = Incident("migration-failed", Cause.MIGRATION_FAILED, WEB, story)
