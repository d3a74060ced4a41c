"""The migration waits behind a long transaction and gives up."""

from __future__ import annotations

from tools.sandbox.platform.effects import Behaviour
from tools.sandbox.platform.incidents.causes import Cause
from tools.sandbox.platform.incidents.scene import WEB, Incident, Scene


def story(scene: Scene) -> None:
    """The pre-deploy command fails on a lock; the same migration worked elsewhere."""
    scene.hosted(WEB).change(scene.ago(3000), pre_deploy_command="npm run db:migrate")
    lines = (
        "applying 20261124101500_document_status.sql",
        "ERROR:  canceling statement due to lock timeout (SQLSTATE 55P03)",
        'CONTEXT:  while locking relation "documents" for ALTER TABLE',
    )
    behaviour = Behaviour(pre_deploy="fails", pre_deploy_seconds=65, pre_deploy_lines=lines)
    start = scene.some(10, 70)
    scene.release(WEB, "Status of documents as an enum", behaviour, start)
    text = "process 20231 still waiting for AccessExclusiveLock on relation 18244 after 1000.071 ms"
    scene.trouble("postgres_logs", text, 1, start, "info", parsed__error_severity="LOG")


INCIDENT = Incident("migration-lock", Cause.MIGRATION_LOCK, WEB, story)
