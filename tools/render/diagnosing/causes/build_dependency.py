"""A dependency cannot be installed.

What it is
    The build fails because a package, or the version asked for, does not exist, conflicts with another,
    or is not declared: a lock file that does not fit, a private registry without its token.

How it shows
    The latest deploy is build_failed, and the build log has the package manager's words: npm's ERESOLVE,
    E404, ETARGET, pip's "No matching distribution", Bundler's "Could not find gem", Go's "no required
    module".

Next step
    Mend the manifest or its lock file and push. The release before still serves: there is nothing to roll
    back.
"""

from __future__ import annotations

from tools.render.diagnosing.cause import STATED, Cause, Kind, shown
from tools.render.diagnosing.evidence import Snapshot
from tools.render.diagnosing.spoken import pattern, tried

WORDS = pattern(
    r"npm err(?:or|!)[ !]*(?:code )?(?:ERESOLVE|E404|ETARGET|EUSAGE|E401|E403|EINTEGRITY|ENOVERSIONS)",
    r"could not resolve dependency", r"unable to resolve dependency tree", r"conflicting peer dependency",
    r"no matching version found", r"err_pnpm_\w+", r"couldn't find package", r"couldn't find any versions",
    r"lockfile (?:needs to be updated|would have been modified)", r"npm ci.{0,60}package-lock",
    r"no matching distribution found", r"could not find a version that satisfies", r"resolutionimpossible",
    r"conflicting dependencies", r"failed building wheel for", r"version solving failed",
    r"could not find gem", r"bundler could not find compatible versions", r"your bundle is locked to",
    r"no required module provides package", r"missing go\.sum entry", r"unknown revision",
    r"module not found: (?:error: )?can't resolve", r"cannot find module '[^./]",
    r"failed to select a version for", r"ts2307", r"modulenotfounderror", r"failed to resolve import",
    r"could not resolve ['\"][^./]",
)  # fmt: skip


def check(snapshot: Snapshot) -> Cause | None:
    """Only for a failed build."""
    found = tried(snapshot, WORDS, ("build",))
    if snapshot.trial is None or not found:
        return None
    return Cause(
        "build_dependency",
        STATED - 5,
        "The build cannot install a dependency; the release before still serves.",
        shown(found),
        "Mend the manifest and its lock file, build it locally from a clean checkout, and push.",
        snapshot.trial.deploy.created_at,
    )


KIND = Kind("build_dependency", "A dependency cannot be installed", check, __doc__ or "")
