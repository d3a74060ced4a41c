"""Render: services, deploys, logs, metrics and what they cost."""

from __future__ import annotations

from tools.render.change_env_var import change_env_var
from tools.render.change_service import change_service
from tools.render.deploy_service import deploy_service
from tools.render.describe_service import describe_service
from tools.render.diagnose_service import diagnose_service
from tools.render.list_services import list_services
from tools.render.read_logs import read_logs
from tools.render.read_metrics import read_metrics
from tools.render.review_cost import review_cost
from tools.render.review_render import review_render
from tools.render.rollback_service import rollback_service
from tools.render.run_job import run_job

TOOLS = (
    list_services,
    describe_service,
    read_logs,
    read_metrics,
    diagnose_service,
    review_render,
    review_cost,
    deploy_service,
    rollback_service,
    change_service,
    change_env_var,
    run_job,
)
