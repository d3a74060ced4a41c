"""Supabase's Management API: projects, Edge Functions, secrets, logs and configuration."""

from __future__ import annotations

from tools.supabase.deploy_function import deploy_function
from tools.supabase.describe_project import describe_project
from tools.supabase.read_project_logs import read_project_logs

TOOLS = (describe_project, read_project_logs, deploy_function)
