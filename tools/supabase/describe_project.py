"""The tool describe_project."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.partial import Partial
from tools.registry import Effect, Params, tool
from tools.resources import Resources
from tools.sections import Description, Section
from tools.supabase import project_parts, project_sections
from tools.supabase.targets import find_project


class DescribeProject(Params):
    """Arguments of describe_project."""

    section: Literal[
        "overview", "functions", "secrets", "auth", "backups", "network", "advisors", "branches"
    ] = Field(default="overview", description="One part in depth; branches also lists applied migrations.")


@tool(Effect.READ, open_world=True)
async def describe_project(params: DescribeProject, resources: Resources) -> Description:
    """Describe the Supabase project: health, functions, Auth settings, backups, network, disk, advisors.

    The overview says what needs somebody in capitals; `section` tells one part in depth. Values of secrets
    are never shown, only digests: equal ones are equal values. Tables, policies and statements are read
    through the database tools; what happened stands in read_project_logs.
    """
    supabase, part, now = resources.supabase, Partial(), resources.now()
    ref = await find_project(supabase)
    sections: list[Section]
    match params.section:
        case "overview":
            sections = await project_sections.overview(supabase, ref, now, part)
        case "functions":
            sections = await project_parts.functions(supabase, ref, now, part)
        case "secrets":
            sections = await project_parts.secrets(supabase, ref, now, part)
        case "auth":
            sections = await project_parts.auth(supabase, ref, part)
        case "backups":
            sections = await project_parts.backups(supabase, ref, now, part)
        case "network":
            sections = await project_parts.network(supabase, ref, part)
        case "advisors":
            sections = await project_parts.advisors(supabase, ref, part)
        case "branches":
            sections = await project_parts.branches(supabase, ref, now, part)
    return Description(of=f"Supabase project {ref}", sections=tuple(sections), note=part.note())
