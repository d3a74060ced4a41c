"""The committed history of a bank's files, read from git. Nothing is committed, fetched or written.

A repository may be anybody's: no hook, filter, pager, signature check or other program that its configuration
names is run, and nothing is fetched. Without git, or outside of a repository, there is no committed history.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from memory.entry import CATEGORIES
from memory.files import MAX_FILE

_SEPARATOR, _FIELD = "\x1e", "\x1f"
_SECONDS = 60
_NONE = "0" * 40
_SAFE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "log.showSignature=false",
    "log.follow=false",
    "diff.external=",
    "protocol.allow=never",
    "maintenance.auto=false",
)


@dataclass(frozen=True, slots=True)
class Committed:
    """A file as one commit changed it. `before` and `after` are git's object names; None: no file."""

    commit: str
    when: datetime
    author: str
    subject: str
    path: str
    before: str | None
    after: str | None


def commits(root: Path, paths: Sequence[str], *, limit: int) -> list[Committed]:
    """The newest commits (at most `limit`) that touched files of the bank; `paths` are git's pathspecs."""
    out = _git(
        root,
        "log", f"--max-count={limit}", f"--format={_SEPARATOR}%H{_FIELD}%ct{_FIELD}%an{_FIELD}%s{_FIELD}",
        "--no-show-signature", "--no-color", "--no-ext-diff", "--no-textconv", "--no-mailmap",
        "--raw", "-z", "--no-abbrev", "--no-renames", "--relative", "-c", "--", *paths,
    )  # fmt: skip
    found: list[Committed] = []
    for part in (out or b"").decode("utf-8", errors="replace").split(_SEPARATOR)[1:]:
        head = part.split(_FIELD, 4)
        if len(head) == 5 and head[1].isdigit():
            found += _changes(head[0], int(head[1]), head[2], head[3], head[4])
    return found


def _changes(commit: str, seconds: int, author: str, subject: str, raw: str) -> list[Committed]:
    words = [word for word in raw.replace("\n", "").split("\0") if word]
    found: list[Committed] = []
    for facts, path in pairwise(words):
        if not facts.startswith(":") or not _is_entry(path):
            continue
        # :MODE.. MODE NAME.. NAME STATUS, with one MODE and NAME for each parent and one for the commit
        parents = len(facts) - len(facts.lstrip(":"))
        names = facts.lstrip(":").split()[parents + 1 : -1]
        if len(names) == parents + 1:
            when = datetime.fromtimestamp(seconds, UTC)
            before, after = _name(names[0]), _name(names[-1])
            found.append(Committed(commit, when, author, subject, path, before, after))
    return found


def _name(name: str) -> str | None:
    return None if set(name) == {"0"} else name


def _is_entry(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder in CATEGORIES and name.endswith(".md") and "/" not in name


def blobs(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Git's object names with their texts. What is no text of an entry's size is left out."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    out = _git(root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in wanted).encode()) or b""
    found: dict[str, str] = {}
    at = 0
    while at < len(out):
        end = out.find(b"\n", at)
        head = out[at:end].decode("ascii", errors="replace").split()
        if end < 0 or not head:
            break
        at = end + 1
        if len(head) != 3 or not head[2].isdigit():  # "NAME missing"
            continue
        size = int(head[2])
        content, at = out[at : at + size], at + size + 1
        if head[1] == "blob" and size <= MAX_FILE:
            found[head[0]] = content.decode("utf-8", errors="replace")
    return found


def _git(root: Path, *words: str, stdin: bytes = b"") -> bytes | None:
    """What git prints, or None where there is no git, no repository, or no answer in time."""
    program = shutil.which("git")
    if program is None or not root.is_dir():
        return None
    options = [part for setting in _SAFE for part in ("-c", setting)]
    command = [program, "--no-pager", "--no-optional-locks", "--literal-pathspecs", *options, *words]
    if "log" in words:
        command.remove("--literal-pathspecs")
    try:
        done = subprocess.run(
            command, cwd=root, env=_environment(program), input=stdin, capture_output=True, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _environment(program: str) -> Mapping[str, str]:
    """No variable of ours, no configuration but the repository's, which the options above overrule."""
    return {
        "PATH": f"{Path(program).parent}{os.pathsep}{os.defpath}",
        "LC_ALL": "C",
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
    }
