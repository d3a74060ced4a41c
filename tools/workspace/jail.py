"""The workspace: one folder that file tools may see, and nothing outside it.

A path is resolved through its symbolic links before it is judged, so a link cannot lead out. Files that hold
secrets are refused whatever their place: a model has no use for a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tools.errors import InvalidInput, NotFound, Refused

SECRET_NAMES: Final = (
    ".env", ".env.*", "*.env", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd",
    "credentials", "credentials.json", "service-account*.json", "*.tfstate", "*.tfstate.*", ".dockercfg",
    "secrets.*", "*.secret", "*.secrets", "kubeconfig",
)  # fmt: skip
HARMLESS_NAMES: Final = (".env.example", ".env.sample", ".env.template", "*.pub")
SECRET_FOLDERS: Final = (".ssh", ".aws", ".gnupg", ".kube", ".docker")
SKIPPED_FOLDERS: Final = (".git", "node_modules", ".venv", "venv", "__pycache__", ".sergei", "dist", "build")


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root` is resolved. `environment` is all that a command may see of ours."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def resolve(self, path: str) -> Path:
        """The real path of a file inside the workspace. Raises Refused outside it and for secrets."""
        if "\0" in path:
            raise InvalidInput("A path cannot hold a NUL byte.")
        try:
            real = (self.root / Path(path).expanduser()).resolve()
        except (OSError, RuntimeError):
            raise InvalidInput(f"{path} is a loop of symbolic links.") from None
        if real != self.root and self.root not in real.parents:
            raise Refused(f"{path} is outside the workspace {self.root}.")
        if self.secret(real):
            raise Refused(f"{path} holds secrets and is never read or written here.")
        return real

    def file(self, path: str) -> Path:
        """Like `resolve`, for a file that exists."""
        real = self.resolve(path)
        if not real.exists():
            raise NotFound(f"There is no file {path} in the workspace.", hint="glob finds files by pattern.")
        if not real.is_file():
            raise InvalidInput(f"{path} is not a file.")
        return real

    def secret(self, real: Path) -> bool:
        """Whether a resolved path is one of secrets, by its name or a folder above it."""
        names = real.relative_to(self.root).parts if self.root in real.parents else real.parts
        if any(folder in SECRET_FOLDERS for folder in names[:-1]):
            return True
        name = real.name.lower()
        if any(fnmatchcase(name, pattern) for pattern in HARMLESS_NAMES):
            return False
        return any(fnmatchcase(name, pattern) for pattern in SECRET_NAMES)

    def name(self, real: Path) -> str:
        """A real path as people write it: relative to the workspace."""
        return real.relative_to(self.root).as_posix()

    def files(self, under: Path) -> Iterator[Path]:
        """Readable files below a folder, sorted, without secrets, links that lead out and build folders."""
        stack = [under]
        while stack:
            try:
                entries = sorted(stack.pop().iterdir())
            except OSError:
                continue
            folders: list[Path] = []
            for entry in entries:
                if entry.is_symlink() and not self._inside(entry):
                    continue
                if entry.is_dir():
                    if entry.name not in SKIPPED_FOLDERS and not entry.is_symlink():
                        folders.append(entry)
                elif entry.is_file() and not self.secret(entry.resolve()):
                    yield entry
            stack.extend(reversed(folders))

    def _inside(self, link: Path) -> bool:
        try:
            return self.root in link.resolve().parents
        except (OSError, RuntimeError):
            return False
