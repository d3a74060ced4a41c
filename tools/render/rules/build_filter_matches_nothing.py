"""A build filter matches no file of the repository.

What it finds
    Services of the repository that holds render.yaml whose build filter has paths of which none matches a
    file. Needs the file in a folder with its repository; services of other repositories are left out.

Why it matters
    No push ever deploys the service: builds are skipped, and nobody is told.

Fix
    Correct the paths: they begin at the root of the repository, whatever rootDir says.

When to ignore
    The files come into being later.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.findings import Finding, Level, Rule
from tools.render.inventory import Inventory
from tools.render.repository_files import glob
from tools.render.ruling import in_file, listed


def check(inventory: Inventory) -> Iterator[Finding]:
    """One finding per service."""
    file, files = inventory.file, inventory.files
    for entry in file.services if file and files else ():
        paths = entry.tree.words("buildFilter", "paths")
        if not file or not files or not paths or entry.tree.word("repo"):
            continue
        patterns = [glob(path) for path in paths]
        if not any(pattern.fullmatch(name) for pattern in patterns for name in files):
            tree = entry.tree.get("buildFilter", "paths") or entry.tree
            yield in_file(
                "build_filter_matches_nothing",
                Level.WARN,
                file,
                tree.path,
                tree.line,
                f"The build filter of {entry.name} matches no file: no push deploys it.",
                evidence=f"{listed(paths)}; {len(files):,} files compared",
                fix="Correct the paths; they begin at the root of the repository.",
                rank=44,
            )


RULE = Rule(
    name="build_filter_matches_nothing",
    title="A build filter matches no file of the repository",
    level=Level.WARN,
    domain="render",
    check=check,
    doc=__doc__ or "",
)
