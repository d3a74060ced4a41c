"""PostgreSQL: structure, reading queries, plans, activity, and changes that a person approved."""

from __future__ import annotations

from typing import Final

from tools.database.change_sql import change_sql
from tools.database.describe_table import describe_table
from tools.database.execute_sql import execute_sql
from tools.database.explain_query import explain_query
from tools.database.list_activity import list_activity
from tools.database.list_functions import list_functions
from tools.database.list_policies import list_policies
from tools.database.list_tables import list_tables
from tools.database.phi_inventory import phi_inventory

TOOLS: Final = (
    list_tables,
    describe_table,
    list_policies,
    list_functions,
    execute_sql,
    explain_query,
    list_activity,
    phi_inventory,
    change_sql,
)
