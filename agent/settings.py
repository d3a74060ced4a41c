"""Everything that can be configured, and the only reader of the environment.

A flag beats the environment, the environment beats sergei.toml, sergei.toml beats the default. sergei.toml is
looked for in the workspace and its parents; a malformed one is a ConfigurationError with the line to mend.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.approvals import Mode
from tools.errors import ConfigurationError
from tools.resources import Suppression

FILE: Final = "sergei.toml"
DEFAULT_MODEL: Final = "claude-sonnet-5-5"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetSection(_Section):
    """`[target]`: the database that this project is about."""

    database_url: str = ""
    environment: Literal["production", "staging", "development", "sandbox", "unknown"] = "unknown"
    project: str = ""
    exposed_schemas: tuple[str, ...] = ("public", "graphql_public")
    phi: Literal["strict", "off"] = "strict"
    allow_functions: tuple[str, ...] = ()

    @field_validator("database_url")
    @classmethod
    def _no_password_in_a_file(cls, url: str) -> str:
        userinfo = url.partition("://")[2].rpartition("@")[0]
        if ":" in userinfo or "password=" in url:
            raise ValueError(
                'holds a password; write database_url = "env:NAME" and set that variable instead'
            )
        return url


class AgentSection(_Section):
    """`[agent]`: how Sergei talks and what he may do."""

    model: str = DEFAULT_MODEL
    mode: Mode = Mode.ACT
    memory: bool = True


class PhiSection(_Section):
    """`[phi]`: where a person corrects the classifier. `schema.table.column` (or `.*`) = "phi" or "safe"."""

    columns: dict[str, Literal["phi", "safe"]] = {}


class SandboxSection(_Section):
    """`[sandbox]`: which PostgreSQL it runs, and extensions that it must offer."""

    server: Literal["embedded", "system"] = "embedded"
    extensions: tuple[str, ...] = ()


class SuppressSection(_Section):
    """`[[suppress]]`: one finding that somebody decided to live with, and why."""

    rule: str
    object: str = "*"
    reason: str = Field(min_length=3)


class ProjectFile(_Section):
    """sergei.toml as a whole."""

    target: TargetSection = TargetSection()
    agent: AgentSection = AgentSection()
    phi: PhiSection = PhiSection()
    sandbox: SandboxSection = SandboxSection()
    suppress: tuple[SuppressSection, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run of Sergei was told. Paths are absolute; keys and URLs are never printed.

    `missing_variable` names the variable that sergei.toml takes the database URL from, where it is not set.
    """

    workspace: Path
    state_dir: Path
    cache_dir: Path
    database_url: str = field(repr=False)
    missing_variable: str
    environment: str
    project: str
    exposed_schemas: tuple[str, ...]
    phi_strict: bool
    phi_columns: Mapping[str, bool]
    allowed_functions: tuple[str, ...]
    model: str
    mode: Mode
    memory: bool
    suppressions: tuple[Suppression, ...]
    api_key: str = field(repr=False)
    base_url: str | None
    sandbox_url: str | None = field(repr=False)
    sandbox: SandboxSection
    http_token: str | None = field(repr=False)
    editor: str
    color: bool
    subprocess_environment: Mapping[str, str] = field(repr=False)

    @property
    def audit_file(self) -> Path:
        """Where the audit log lies."""
        return self.state_dir / "audit.jsonl"

    @property
    def bank_folder(self) -> Path:
        """The workspace's own memory bank."""
        return self.workspace / ".sergei" / "memory"


def load(workspace: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings for a workspace (the present folder unless given). Raises ConfigurationError."""
    env = os.environ if environ is None else environ
    start = (workspace or Path.cwd()).resolve()
    if not start.is_dir():
        raise ConfigurationError(f"There is no folder {start}.", hint="Give an existing workspace.")
    file = _find(start)
    project = read_project_file(file) if file else ProjectFile()
    target, agent = project.target, project.agent
    environment = env.get("SERGEI_ENVIRONMENT") or target.environment
    if target.phi == "off" and environment not in {"development", "sandbox", "staging"}:
        raise ConfigurationError(
            f'{file}: phi = "off" needs a target that is marked as staging, development or sandbox.',
            hint="Set [target] environment, or leave phi at strict.",
        )
    url, missing = _from_file(target.database_url, env)
    home = Path(env.get("HOME") or Path.home())
    return Settings(
        workspace=file.parent if file else start,
        state_dir=_folder(env, "SERGEI_STATE_DIR", "XDG_STATE_HOME", home / ".local" / "state"),
        cache_dir=_folder(env, "SERGEI_CACHE_DIR", "XDG_CACHE_HOME", home / ".cache"),
        database_url=env.get("SERGEI_DATABASE_URL") or url,
        missing_variable=missing,
        environment=environment,
        project=target.project,
        exposed_schemas=target.exposed_schemas,
        phi_strict=target.phi == "strict",
        phi_columns={name: verdict == "phi" for name, verdict in project.phi.columns.items()},
        allowed_functions=target.allow_functions,
        model=env.get("SERGEI_MODEL") or agent.model,
        mode=agent.mode,
        memory=agent.memory,
        suppressions=tuple(Suppression(s.rule, s.object, s.reason) for s in project.suppress),
        api_key=env.get("ANTHROPIC_API_KEY", ""),
        base_url=env.get("ANTHROPIC_BASE_URL") or None,
        sandbox_url=env.get("SERGEI_SANDBOX_URL") or None,
        sandbox=project.sandbox,
        http_token=env.get("SERGEI_TOKEN") or None,
        editor=env.get("VISUAL") or env.get("EDITOR") or "vi",
        color="NO_COLOR" not in env and env.get("TERM") != "dumb",
        subprocess_environment={name: env[name] for name in _HARMLESS if name in env},
    )


_HARMLESS: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "TZ", "USER", "SHELL", "TMPDIR")
"""What a command in the workspace may see of our environment: never a key, a token or a URL."""


def read_project_file(file: Path) -> ProjectFile:
    """sergei.toml, validated. Raises ConfigurationError naming the line or the key."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not valid TOML: {error}.") from None
    try:
        return ProjectFile.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {_first(error)}.") from None


def _first(error: ValidationError) -> str:
    item = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"there is no setting called `{where}`"
    context: dict[str, Any] = item.get("ctx") or {}
    reason = str(context["error"]) if "error" in context else item["msg"][0].lower() + item["msg"][1:]
    return f"`{where}` {reason}"


def _find(start: Path) -> Path | None:
    return next((folder / FILE for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def _from_file(url: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The URL, and the name of the variable it should come from where that is not set."""
    if not url.startswith("env:"):
        return url, ""
    name = url.removeprefix("env:")
    return env.get(name, ""), "" if env.get(name) else name


def _folder(env: Mapping[str, str], own: str, xdg: str, default: Path) -> Path:
    if env.get(own):
        return Path(env[own]).expanduser().resolve()
    return (Path(env[xdg]) if env.get(xdg) else default) / "sergei"
