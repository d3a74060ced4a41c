"""What git knows of the workspace: the newest commit of a branch, and files as a commit has them.

A repository may be anybody's: no hook, filter, helper or other program that its configuration names is run.
The remote is asked from outside of it, by the address that Render names, so only the user's own configuration
counts. Nothing is fetched or written.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tools.workspace.jail import Workspace

SHA: Final = re.compile(r"[0-9a-f]{40}")
LARGEST: Final = 2_000_000
_SECONDS: Final = 20
_SAFE: Final = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false", "diff.external=",
    "core.attributesFile=/dev/null", "protocol.allow=never", "maintenance.auto=false", "grep.threads=1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AddedLine:
    """A line that is new."""

    path: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository of a workspace that belongs to a service: `remote` is its name for `url`."""

    workspace: Workspace
    remote: str
    url: str

    async def newest(self, branch: str) -> tuple[str, str]:
        """The newest commit of a branch and how it is known: asked now, or as last fetched; '' for none."""
        wanted = f"refs/heads/{branch}"
        said = await asyncio.to_thread(_ask_remote, self.workspace, self.url, wanted)
        for line in said.splitlines():
            sha, _, name = line.partition("\t")
            if name == wanted and SHA.fullmatch(sha):
                return sha, f"asked of {self.url} now"
        local = await self._line("rev-parse", "--verify", "--quiet", f"refs/remotes/{self.remote}/{branch}")
        if SHA.fullmatch(local):
            return local, f"{self.remote}/{branch} as last fetched; the remote did not answer"
        return "", ""

    async def full(self, commit: str) -> str:
        """The whole id of a commit that is here, or ''."""
        found = await self._line("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
        return found if SHA.fullmatch(found) else ""

    async def subject(self, commit: str) -> str:
        """The first line of its message, or ''."""
        return await self._line("log", "-1", "--no-show-signature", "--format=%s", commit)

    async def precedes(self, older: str, newer: str) -> bool | None:
        """Whether one commit is an ancestor of the other; None where that is not known here."""
        if not (await self.full(older) and await self.full(newer)):
            return None
        base = await self._line("merge-base", older, newer)
        return base == older if base else False

    async def files(self, commit: str, *under: str) -> list[str]:
        """The paths that a commit has below these folders (all of them for none)."""
        return _names(await self._git("ls-tree", "-r", "-z", "--name-only", commit, "--", *under))

    async def text(self, commit: str, path: str) -> str:
        """A file as the commit has it; '' where it has none, or where the file is for secrets."""
        if self.workspace.secret(self.workspace.root / path):
            return ""
        return (await self._git("cat-file", "blob", f"{commit}:{path}"))[:LARGEST]

    async def added_files(self, older: str, newer: str) -> list[str]:
        """Files that the newer commit has and the older one has not."""
        words = ("diff", "--name-only", "--diff-filter=A", "--no-renames", "--no-ext-diff", "-z")
        return _names(await self._git(*words, older, newer, "--"))

    async def added_lines(self, older: str, newer: str, *paths: str) -> list[AddedLine]:
        """Lines that are new between two commits."""
        words = ("diff", "--unified=0", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv")
        return _added(await self._git(*words, older, newer, "--", *paths))

    async def mentions(self, commit: str, word: str, *paths: str) -> list[str]:
        """Files of a commit that hold this word."""
        listed = await self._git("grep", "-l", "-z", "-w", "-F", "-I", "-e", word, commit, "--", *paths)
        return [name.partition(":")[2] for name in _names(listed)]

    async def _line(self, *words: str) -> str:
        return (await self._git(*words)).strip().partition("\n")[0]

    async def _git(self, *words: str) -> str:
        return await asyncio.to_thread(_read, self.workspace.root, words)


async def repository_of(workspace: Workspace | None, url: str) -> Repository | None:
    """The workspace's repository, if it is a checkout of the one that Render builds from."""
    if workspace is None or not url or not (workspace.root / ".git").exists():
        return None
    listed = await asyncio.to_thread(
        _read, workspace.root, ("config", "--local", "--get-regexp", r"^remote\..*\.url$")
    )
    for line in listed.splitlines():
        name, _, address = line.partition(" ")
        if same_place(address, url):
            return Repository(workspace, name.removeprefix("remote.").removesuffix(".url"), url)
    return None


def same_place(one: str, other: str) -> bool:
    """Whether two addresses name one repository: https, ssh and scp spellings are the same."""
    return _place(one) == _place(other)


def _place(url: str) -> str:
    url = re.sub(r"^[a-z+]+://", "", url.strip())
    url = re.sub(r"^[^@/]+@", "", url)
    url = re.sub(r"^([\w.-]+):(?!\d)", r"\1/", url)
    return url.rstrip("/").removesuffix(".git").lower()


def _names(listed: str) -> list[str]:
    return [name for name in listed.split("\0") if name]


def _added(diff: str) -> list[AddedLine]:
    found: list[AddedLine] = []
    path, number = "", 0
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)", line):
            number = int(hunk[1])
        elif line.startswith("+"):
            found.append(AddedLine(path, number, line[1:]))
            number += 1
    return found


def _read(root: Path, words: Sequence[str]) -> str:
    """What git prints about the repository at hand; '' for any failure."""
    options = [part for setting in _SAFE for part in ("-c", setting)]
    environment = {
        "LC_ALL": "C", "HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": "none", "PATH": os.defpath,
    }  # fmt: skip
    return _run([*options, "--no-optional-locks", "--no-pager", *words], root, environment)


def _ask_remote(workspace: Workspace, url: str, ref: str) -> str:
    """What the remote answers, asked with the user's own git configuration and never at a prompt."""
    environment = {
        **workspace.environment,
        "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file", "GIT_CEILING_DIRECTORIES": "/",
    }  # fmt: skip
    return _run(["ls-remote", "--", url, ref], Path("/"), environment)


def _run(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    program = shutil.which("git")
    if program is None or not folder.is_dir():
        return ""
    try:
        done = subprocess.run(
            [program, *words], cwd=folder, env=environment, capture_output=True, timeout=_SECONDS,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace") if done.returncode == 0 else ""
