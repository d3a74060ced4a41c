"""Everything that can be configured, and the only reader of the environment.

A flag beats the environment, the environment beats sergei.toml, sergei.toml beats the default. sergei.toml is
looked for in the workspace and its parents; a malformed one is a ConfigurationError with the line to mend.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.approvals import Mode
from agent.audit import Keeping
from agent.patterns import Pattern
from tools.errors import ConfigurationError
from tools.resources import Suppression

FILE: Final = "sergei.toml"
DEFAULT_MODEL: Final = "claude-sonnet-5-5"
Environment = Literal["production", "staging", "development", "sandbox", "unknown"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetSection(_Section):
    """`[target]`: the database that this project is about."""

    database_url: str = ""
    environment: Environment = "unknown"
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
    team_memory: str = ""


class PhiSection(_Section):
    """`[phi]`: where a person corrects the classifier. `schema.table.column` (or `.*`) = "phi" or "safe"."""

    columns: dict[str, Literal["phi", "safe"]] = {}


class SandboxSection(_Section):
    """`[sandbox]`: which PostgreSQL it runs, and extensions that it must offer."""

    server: Literal["embedded", "system"] = "embedded"
    extensions: tuple[str, ...] = ()


def _address_of(domain: str) -> AfterValidator:
    """The key goes to the vendor or to this machine: sergei.toml comes with a repository, from anybody."""

    def check(url: str) -> str:
        parts = urlsplit(url)
        host = parts.hostname or ""
        theirs = parts.scheme == "https" and (host == domain or host.endswith(f".{domain}"))
        if theirs or (parts.scheme in {"http", "https"} and host in {"localhost", "127.0.0.1", "::1"}):
            return url.rstrip("/")
        raise ValueError(f"must be an https address of {domain}, or one of this machine")

    return AfterValidator(check)


class RenderSection(_Section):
    """`[render]`: the workspace, project and services that this project is about."""

    api_url: Annotated[str, _address_of("render.com")] = "https://api.render.com/v1"
    owner: str = ""
    project: str = ""
    services: tuple[str, ...] = ()


class SupabaseSection(_Section):
    """`[supabase]`: the project that this project is about."""

    api_url: Annotated[str, _address_of("supabase.com")] = "https://api.supabase.com"
    project_ref: str = ""

    @field_validator("project_ref")
    @classmethod
    def _is_a_ref(cls, ref: str) -> str:
        if ref and not re.fullmatch(r"[a-z]{20}", ref):
            raise ValueError("is the 20 letters that stand in the project's URL")
        return ref


class AuditSection(_Section):
    """`[audit]`: how long the record of every act is kept, and how large one of its files grows."""

    retention_years: int = Field(default=6, ge=1, le=100)
    rotate_megabytes: int = Field(default=50, ge=1, le=2_000)


class SuppressSection(_Section):
    """`[[suppress]]`: one finding that somebody decided to live with, and why."""

    rule: str
    object: str = "*"
    reason: str = Field(min_length=3)
    until: date | None = None


class ProjectFile(_Section):
    """sergei.toml as a whole."""

    target: TargetSection = TargetSection()
    agent: AgentSection = AgentSection()
    phi: PhiSection = PhiSection()
    sandbox: SandboxSection = SandboxSection()
    suppress: tuple[SuppressSection, ...] = ()
    audit: AuditSection = AuditSection()
    render: RenderSection = RenderSection()
    supabase: SupabaseSection = SupabaseSection()
    rls: dict[str, Any] = {}
    """Who may see what, as a person declared it; read by tools/rls/proof/declared.py."""
    approve: tuple[Pattern, ...] = ()

    @field_validator("approve")
    @classmethod
    def _names_are_unique(cls, patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
        names = [pattern.name for pattern in patterns]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise ValueError(f"has two patterns called {twice}")
        return patterns


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
    rls_model: Mapping[str, Any]
    model: str
    mode: Mode
    memory: bool
    team_bank_folder: Path | None
    user_bank_folder: Path
    suppressions: tuple[Suppression, ...]
    patterns: tuple[Pattern, ...]
    audit_keeping: Keeping
    render: RenderSection
    render_key: str = field(repr=False)
    supabase: SupabaseSection
    supabase_key: str = field(repr=False)
    api_key: str = field(repr=False)
    base_url: str | None
    sandbox_url: str | None = field(repr=False)
    sandbox: SandboxSection
    http_token: str | None = field(repr=False)
    editor: str
    color: bool
    subprocess_environment: Mapping[str, str] = field(repr=False)
    find_variable: Callable[[str], str | None] = field(repr=False)
    """Any one variable: only for a value that a person sends somewhere, which no model sees."""

    @property
    def audit_file(self) -> Path:
        """Where the audit log lies."""
        return self.state_dir / "audit.jsonl"

    @property
    def bank_folder(self) -> Path:
        """The workspace's own memory bank."""
        return self.workspace / ".sergei" / "memory"

    @property
    def recalls_file(self) -> Path:
        """Where it is counted how often each entry of the memory bank was recalled."""
        return self.state_dir / "recalled.sqlite"


def load(workspace: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings for a workspace (the present folder unless given). Raises ConfigurationError."""
    env = os.environ if environ is None else environ
    start = (workspace or Path.cwd()).resolve()
    if not start.is_dir():
        raise ConfigurationError(f"There is no folder {start}.", hint="Give an existing workspace.")
    file = _find(start)
    project = read_project_file(file) if file else ProjectFile()
    target, agent = project.target, project.agent
    environment = _environment(env) or target.environment
    if target.phi == "off" and environment not in {"development", "sandbox", "staging"}:
        raise ConfigurationError(
            f'{file}: phi = "off" needs a target that is marked as staging, development or sandbox.',
            hint="Set [target] environment, or leave phi at strict.",
        )
    url, missing = _from_file(target.database_url, env)
    audit = project.audit
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
        rls_model=project.rls,
        model=env.get("SERGEI_MODEL") or agent.model,
        mode=agent.mode,
        memory=agent.memory and not _is_off(env),
        team_bank_folder=_beside(file, agent.team_memory),
        user_bank_folder=_folder(env, "SERGEI_DATA_DIR", "XDG_DATA_HOME", home / ".local" / "share")
        / "memory",
        suppressions=tuple(Suppression(s.rule, s.object, s.reason, s.until) for s in project.suppress),
        patterns=project.approve,
        audit_keeping=Keeping(audit.retention_years, audit.rotate_megabytes * 1_000_000),
        render=project.render,
        render_key=env.get("RENDER_API_KEY", "").strip(),
        supabase=project.supabase,
        supabase_key=env.get("SUPABASE_ACCESS_TOKEN", "").strip(),
        api_key=env.get("ANTHROPIC_API_KEY", ""),
        base_url=env.get("ANTHROPIC_BASE_URL") or None,
        sandbox_url=env.get("SERGEI_SANDBOX_URL") or None,
        sandbox=project.sandbox,
        http_token=env.get("SERGEI_TOKEN") or None,
        editor=env.get("VISUAL") or env.get("EDITOR") or "vi",
        color="NO_COLOR" not in env and env.get("TERM") != "dumb",
        subprocess_environment={name: env[name] for name in _HARMLESS if name in env},
        find_variable=env.get,
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
    if "error" in context and item["type"] not in _REASONS:
        return f"`{where}` {context['error']}"
    said = item["msg"].removeprefix("Input ")
    return f"`{where}` {_REASONS.get(item['type'], said[0].lower() + said[1:])}"


_REASONS: Final = {
    "missing": "is missing",
    "string_type": "must be a text in quotes",
    "string_too_short": "is too short: say why in a few words",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": 'must be a list, such as ["public"]',
    "model_type": "must be a section of its own, such as [target]",
    "date_from_datetime_parsing": "must be a day such as 2030-12-31",
    "date_type": "must be a day such as 2030-12-31",
    "dict_type": "must be a section of its own, such as [target]",
}
"""What pydantic's types of error mean in a settings file."""


def _find(start: Path) -> Path | None:
    return next((folder / FILE for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def _from_file(url: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The URL, and the name of the variable it should come from where that is not set."""
    if not url.startswith("env:"):
        return url, ""
    name = url.removeprefix("env:")
    return env.get(name, ""), "" if env.get(name) else name


def _environment(env: Mapping[str, str]) -> str:
    """SERGEI_ENVIRONMENT, or an empty string. Raises ConfigurationError when it is none of the known ones."""
    named = env.get("SERGEI_ENVIRONMENT", "")
    if named and named not in get_args(Environment):
        known = ", ".join(get_args(Environment))
        raise ConfigurationError(f"SERGEI_ENVIRONMENT is {named!r}, which is none of {known}.")
    return named


def _beside(file: Path | None, name: str) -> Path | None:
    """A folder that sergei.toml names, relative to where it lies; None when it names none."""
    return (file.parent / Path(name).expanduser()).resolve() if file and name else None


def _is_off(env: Mapping[str, str]) -> bool:
    """Whether SERGEI_MEMORY switches the memory bank off. It cannot switch on what sergei.toml switched off.

    Raises ConfigurationError for another word than on and off: a misspelled off must not be an on.
    """
    word = env.get("SERGEI_MEMORY", "")
    if word not in ("", "on", "off"):
        raise ConfigurationError(f"SERGEI_MEMORY is {word!r}; it is on or off.")
    return word == "off"


def _folder(env: Mapping[str, str], own: str, xdg: str, default: Path) -> Path:
    if env.get(own):
        return Path(env[own]).expanduser().resolve()
    return (Path(env[xdg]) if env.get(xdg) else default) / "sergei"
