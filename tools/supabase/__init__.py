"""Supabase's Management API: projects, Edge Functions, secrets, logs and configuration."""

from __future__ import annotations

from tools.supabase.deploy_function import deploy_function
from tools.supabase.describe_project import describe_project

TOOLS = (describe_project, deploy_function)
