"""A security definer function serves anybody who is signed in, whoever's rows are asked for.

What it finds
    As anon_security_definer_function_executable, for functions that need a sign-in but check nothing else.
    The usual form takes p_user_id or p_profile_id from the caller and never compares it with auth.uid(). On
    plain Postgres: functions that any ordinary role may execute.

Why it matters
    An account costs nothing. With one, a caller passes another person's id and gets, or changes, that
    person's rows: the function runs with its owner's rights.

Fix
    Take the identity from auth.uid() instead of an argument, or test the argument against what the caller may
    reach; revoke EXECUTE where only service_role calls it.

When to ignore
    A function that shows the same to all members on purpose, such as a directory without personal columns.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.rls.definers import unchecked
from tools.rls.reach import reach
from tools.rls.rules.anon_security_definer_function_executable import finding
from tools.rls.snapshot import Snapshot
from tools.rls.vectors import searched


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """One finding per function that anon cannot call as well."""
    for found in unchecked(snapshot):
        if "anon" not in found.callers and not searched(reach(snapshot), found.function):
            yield finding("authenticated_security_definer_function_executable", snapshot, found)


RULE = Rule(
    name="authenticated_security_definer_function_executable",
    title="A security definer function serves anybody who is signed in, whoever's rows are asked for",
    level=Level.ERROR,
    domain="rls",
    check=check,
    doc=__doc__ or "",
)
