"""Reads the raw `[rls]` section: known keys, right types, known tables, the nearest name for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

from tools.errors import ConfigurationError
from tools.rls.proof.model import COMMANDS, Model
from tools.rls.proof.states import key_of

KEYS: Final = {
    "": ("accounts", "complete", "record", "owner", "opening", "staff", "tables", "rows", "expect"),
    "record": ("table", "key", "owners", "claims", "parents", "live"),
    "owner": ("table", "column"),
    "opening": ("table", "opens", "by", "to", "live", "level", "ranks", "accepts"),
    "staff": ("name", "claims", "opening"),
    "tables": ("reference", "service", "staff", "own"),
    "rows": ("kind", "paths", "parties", "authors", "open_rows"),
}


class Section:
    """The section, with the tables that it names."""

    def __init__(self, raw: Mapping[str, Any], model: Model) -> None:
        self.raw = raw
        self.model = model
        self.named: set[str] = set()

    def check_keys(self) -> None:
        """Refuse keys that nothing reads: a misspelt one would silently declare nothing."""
        self._known(self.raw, KEYS[""], "[rls]")
        for word in ("record", "owner", "opening", "staff"):
            for entry in self.entries(word):
                self._known(entry, KEYS[word], f"[[rls.{word}]]")
        self._known(self.mapping(self.raw.get("tables", {}), "[rls.tables]"), KEYS["tables"], "[rls.tables]")

    def _known(self, entry: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        for key in entry:
            self.one_of(key, known, where)

    def one_of(self, word: str, known: Iterable[str], where: str) -> str:
        """The word, if it is a known one."""
        several = list(known)
        if word not in several:
            near = get_close_matches(word, several, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(several)}."
            raise ConfigurationError(
                f"{where} in sergei.toml has {word!r}, which means nothing there.", hint=hint
            )
        return word

    def table(self, name: str) -> str:
        """The full name of a table of the schema, or of a record without one such as `(tenant_id)`."""
        if name.startswith("(") and name.endswith(")"):
            return name
        known = {*self.model.tables, *self.model.anchors, self.model.accounts, "auth.users"} - {""}
        full = name if name in known else f"public.{name}"
        if full not in known:
            ended = [title for title in known if title.partition(".")[2] == name]
            if len(ended) != 1:
                near = get_close_matches(full, sorted(known), n=2, cutoff=0.6)
                hint = f"Did you mean {' or '.join(near)}?" if near else "Write schema.table."
                raise ConfigurationError(
                    f"[rls] in sergei.toml names {name}, which is no table here.", hint=hint
                )
            full = ended[0]
        self.named.add(full)
        return full

    def mapping(self, value: Any, where: str) -> Mapping[str, Any]:
        """A TOML table."""
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"{where} in sergei.toml must be a table.")
        return cast("Mapping[str, Any]", value)

    def entries(self, word: str) -> list[Mapping[str, Any]]:
        """The entries of [[rls.word]]."""
        value = self.raw.get(word, [])
        if not isinstance(value, list):
            raise ConfigurationError(f"Write [[rls.{word}]] in sergei.toml, with two brackets on each side.")
        return [self.mapping(one, f"[[rls.{word}]]") for one in cast("list[Any]", value)]

    def flag(self, key: str) -> bool:
        """A boolean of [rls]."""
        value = self.raw.get(key, False)
        if not isinstance(value, bool):
            raise ConfigurationError(f"[rls] {key} in sergei.toml must be true or false.")
        return value

    def text(self, entry: Mapping[str, Any], key: str, where: str) -> str:
        """A required text."""
        value = entry.get(key)
        if not isinstance(value, str):
            raise ConfigurationError(f"{where} in sergei.toml needs {key} as a text.")
        return value

    def texts(self, entry: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        """A list of texts; one text counts as a list of one."""
        value: Any = entry.get(key, [])
        several = cast("list[Any]", [value] if isinstance(value, str) else value)
        if not isinstance(value, (str, list)) or not all(isinstance(one, str) for one in several):
            raise ConfigurationError(f"{where} in sergei.toml: {key} must be a list of texts.")
        return tuple(several)

    def lists(self) -> dict[str, list[str]]:
        """[rls.tables]: kind -> tables."""
        held = self.mapping(self.raw.get("tables", {}), "[rls.tables]")
        return {word: [self._ours(one) for one in self.texts(held, word, "[rls.tables]")] for word in held}

    def rows(self) -> dict[str, Mapping[str, Any]]:
        """[rls.rows]: table -> what its rows belong to."""
        found: dict[str, Mapping[str, Any]] = {}
        for name, value in self.mapping(self.raw.get("rows", {}), "[rls.rows]").items():
            where = f'[rls.rows] "{name}"'
            entry = self.mapping(value, where)
            self._known(entry, KEYS["rows"], where)
            found[self._ours(name)] = entry
        return found

    def expected(self) -> dict[str, dict[str, frozenset[str]]]:
        """[rls.expect."table"]: command -> the words of those who may."""
        found: dict[str, dict[str, frozenset[str]]] = {}
        for name, value in self.mapping(self.raw.get("expect", {}), "[rls.expect]").items():
            where = f'[rls.expect."{name}"]'
            if name.endswith(")") and not name.startswith("("):
                continue
            entry = self.mapping(value, where)
            title = self._ours(name)
            found[title] = {
                self._expectation(text, where): frozenset(self.texts(entry, text, where)) for text in entry
            }
        return found

    def calls(self) -> dict[str, dict[str, frozenset[str]]]:
        """[rls.expect."schema.function(types)"]: what calls write for whom, and what they change."""
        found: dict[str, dict[str, frozenset[str]]] = {}
        for name, value in self.mapping(self.raw.get("expect", {}), "[rls.expect]").items():
            where = f'[rls.expect."{name}"]'
            if not name.endswith(")") or name.startswith("("):
                continue
            entry = self.mapping(value, where)
            for text in entry:
                word, _, rest = text.partition(" ")
                self.one_of(word, ("write", "given", "changes"), where)
                if rest:
                    self.table(rest.partition(" ")[0])
            found[name] = {text: frozenset(self.texts(entry, text, where)) for text in entry}
        return found

    def _expectation(self, text: str, where: str) -> str:
        """A command, or one of its columns or states."""
        key = key_of(text)
        if key is None:
            self.one_of(text.partition(" ")[0], [command.lower() for command in COMMANDS], where)
            raise ConfigurationError(
                f"{where} in sergei.toml has {text!r}, which says no column and no state.",
                hint="Write `update status`, `select deleted_at set` or `insert level = manage`.",
            )
        return key.text if key.columns or key.state else key.command

    def _ours(self, name: str) -> str:
        title = self.table(name)
        if title not in self.model.tables:
            raise ConfigurationError(f"[rls] in sergei.toml: {title} is no table of yours.")
        return title
