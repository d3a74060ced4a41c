"""The version of the runtime is not pinned.

What it finds
    Node and Python services of the repository that holds render.yaml without NODE_VERSION or PYTHON_VERSION,
    without .node-version, .nvmrc, .python-version or .tool-versions, and without engines in package.json.
    Needs the repository; the API alone does not show it.

Why it matters
    Render then takes its present default, which changes: one day a build brings another major version of
    Node.

Fix
    Add a variable NODE_VERSION or a file .node-version with the version that you test with.

When to ignore
    A service that is built anew rarely and tried each time.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.blueprint.file import Declared
from tools.render.inventory import Inventory
from tools.render.ruling import in_file, listed

_FILES = {
    "node": (".node-version", ".nvmrc", ".tool-versions"), "python": (".python-version", ".tool-versions"),
}  # fmt: skip


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    file, files = inventory.file, inventory.files
    for entry in file.services if file and files is not None else ():
        runtime = entry.tree.word("runtime") or entry.tree.word("env")
        if runtime not in _FILES or entry.tree.word("repo") or not file or files is None:
            continue
        folders = {"", entry.tree.word("rootDir").strip("./").rstrip("/")}
        pinned = {f"{folder}/{name}".lstrip("/") for folder in folders for name in _FILES[runtime]} & files
        engines = runtime == "node" and folders & inventory.engines
        variable = f"{runtime.upper()}_VERSION"
        if pinned or engines or variable in _names(inventory, entry):
            continue
        yield in_file(
            "runtime_version_unpinned",
            Level.INFO,
            file,
            entry.tree.path,
            entry.line,
            f"{entry.name} takes whatever version of {runtime.capitalize()} Render has as its default.",
            evidence=f"no {variable}, no {listed(_FILES[runtime])}" + ", no engines" * (runtime == "node"),
            fix=f"A file {_FILES[runtime][0]} with the version that you test with, or {variable}.",
            rank=61,
        )


def _names(inventory: Inventory, entry: Declared) -> set[str]:
    """The variables of a service, in the file and where it runs."""
    units = (one for one in inventory.units if one.declared is entry)
    running = {key for unit in units for key in unit.variables or ()}
    groups = (inventory.file.group(name) for name, _ in entry.groups) if inventory.file else ()
    return running | {one.key for owner in (entry, *filter(None, groups)) for one in owner.variables}


RULE = Rule(
    name="runtime_version_unpinned",
    title="The version of the runtime is not pinned",
    level=Level.INFO,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
