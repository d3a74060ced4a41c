"""Render: services, deploys, logs, metrics and what they cost."""

from __future__ import annotations

from tools.render.deploy_service import deploy_service
from tools.render.diagnose_service import diagnose_service
from tools.render.list_services import list_services
from tools.render.read_logs import read_logs
from tools.render.read_metrics import read_metrics
from tools.render.rollback_service import rollback_service

TOOLS = (list_services, read_logs, read_metrics, diagnose_service, deploy_service, rollback_service)
