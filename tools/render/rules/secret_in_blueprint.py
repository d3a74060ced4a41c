"""A secret stands as a literal value in render.yaml.

What it finds
    Variables with `value:`, of services and of groups, whose value has the shape of a key, a token, a private
    key or an address with a password, or whose name says secret and whose value is no plain word. Public keys
    (anon, publishable, Sentry's DSN) are left out. The value itself is never shown.

Why it matters
    Whoever can read the repository has it, now and in its history: developers, forks, CI logs, a stolen
    laptop. Render says so too: do not hardcode secrets in a blueprint.

Fix
    Issue a new secret first: the old one stays in git's history. Then write `sync: false` (a value set in the
    dashboard) or `generateValue: true`, or refer to the database with `fromDatabase`.

When to ignore
    A value that is no secret: a test key of a sandbox account, a name that only sounds like one.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.inventory_values import for_the_browser, literal_secret
from tools.render.ruling import in_file


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per variable."""
    file = inventory.file
    for variable in file.variables if file else ():
        told = variable.source != "value" or for_the_browser(variable.key)  # by secret_for_browser
        reason = "" if told else literal_secret(variable.key, variable.value)
        if file and reason:
            yield in_file(
                "secret_in_blueprint",
                Level.ERROR,
                file,
                variable.path,
                variable.line,
                f"{variable.key} is a secret, and its value stands in {file.path}: {reason}.",
                evidence="a literal value, not shown",
                fix="Issue a new secret, set it in Render's dashboard, and write:\n"
                f"- key: {variable.key}\n  sync: false",
                rank=10,
            )


RULE = Rule(
    name="secret_in_blueprint",
    title="A secret stands as a literal value in render.yaml",
    level=Level.ERROR,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
