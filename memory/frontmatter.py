"""A Markdown file with front matter, held so that one key can change and no other byte does.

The file is cut into its lines once; a key is a span of those lines. Changing a key replaces its span (or only
the value on its line), so unknown keys, their order, comments, a byte order mark and CRLF line ends stay as
their author left them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from memory import yaml_subset
from memory.errors import InvalidEntry
from memory.yaml_subset import Value

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"---[ \t]*\r?\n?")
# Also keys that only their author reads: `due date: May`.
_KEY = re.compile(r"""(?:([^\s"'#\[\]{},&*!|>%@`?:-][^:#\n]*?)|"([^"\\]+)"|'([^']+)')\s*:(?=\s|$)""")
_TRAILING_COMMENT = re.compile(r"\s+#.*$")


@dataclass(frozen=True, slots=True)
class Document:
    """Front matter lines (with their line ends) and everything around them, untouched."""

    head: str  # byte order mark and opening fence
    lines: tuple[str, ...]
    tail: str  # closing fence and body, as they are
    body: str
    eol: str

    def text(self) -> str:
        """The whole file again."""
        return self.head + "".join(self.lines) + self.tail


def split(text: str) -> Document:
    """Cut `text` at its front matter. InvalidEntry when it has none or it is never closed."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    lines = _LINES.findall(text[len(bom) :])
    if not lines or not _FENCE.fullmatch(lines[0]):
        raise InvalidEntry("The file does not start with front matter (a line of three dashes).")
    for number, line in enumerate(lines[1:], 1):
        if _FENCE.fullmatch(line):
            eol = "\r\n" if lines[0].endswith("\r\n") else "\n"
            body = "".join(lines[number + 1 :])
            return Document(bom + lines[0], tuple(lines[1:number]), line + body, body, eol)
    raise InvalidEntry("The front matter is never closed with a line of three dashes.")


def spans(document: Document) -> dict[str, tuple[int, int]]:
    """Each top-level key with its first line and the line after its last meaningful one (0-based)."""
    found: dict[str, tuple[int, int]] = {}
    key = ""
    for at, line in enumerate(document.lines):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if line[0] in " \t" or stripped == "-" or stripped.startswith("- "):
            if not key:
                raise InvalidEntry(f"Line {at + 2} is indented under no key.")
            found[key] = (found[key][0], at + 1)
            continue
        match = _KEY.match(line)
        if match is None:
            raise InvalidEntry(f"Line {at + 2} is not `key: value`.")
        key = match.group(1) or match.group(2) or match.group(3)
        if key in found:
            raise InvalidEntry(f"Line {at + 2} gives the key '{key}' a second time.")
        found[key] = (at, at + 1)
    return found


def values(document: Document, keys: Collection[str]) -> dict[str, Value]:
    """The values of those of `keys` that are present. Other keys are not even looked into."""
    found: dict[str, Value] = {}
    for key, (start, stop) in spans(document).items():
        if key in keys:
            lines = yaml_subset.to_lines(document.lines[start:stop], start + 2)
            found[key] = yaml_subset.parse_mapping(lines)[key]
    return found


def with_scalar(document: Document, key: str, rendered: str) -> Document:
    """`document` with `key: rendered` (one line, already quoted); a comment behind the old value stays."""
    span = spans(document).get(key)
    if span is None:
        return _inserted(document, [f"{key}: {rendered}"])
    start, stop = span
    line = document.lines[start]
    match = _KEY.match(line)
    ending = line[len(line.rstrip("\r\n")) :] or document.eol
    before = line[: match.end()] if match else f"{key}:"
    return _replaced(document, start, stop, [f"{before} {rendered}{_comment(line)}{ending}"])


def with_item(document: Document, key: str, item: Mapping[str, str]) -> Document:
    """`document` with one more map (values already rendered) at the end of the block list under `key`."""
    span = spans(document).get(key)
    if span is None:
        return _inserted(document, [f"{key}:", *yaml_subset.block_items([item], 2)])
    start, stop = span
    first = next((line for line in document.lines[start + 1 : stop] if line.lstrip().startswith("-")), None)
    if first is not None:
        added = yaml_subset.block_items([item], len(first) - len(first.lstrip(" ")))
        return _replaced(document, stop, stop, [line + document.eol for line in added])
    return _rewritten_list(document, key, start, stop, item)


def _rewritten_list(document: Document, key: str, start: int, stop: int, item: Mapping[str, str]) -> Document:
    """An empty or flow list becomes a block list: the one case where old items are written anew."""
    old = values(document, {key})[key]
    if old is not None and not isinstance(old, list):
        raise InvalidEntry(f"The key '{key}' is not a list, so nothing can be added to it.")
    items: list[Mapping[str, str]] = []
    for value in old or []:
        if not isinstance(value, dict):
            raise InvalidEntry(f"The list '{key}' holds something that is not a map.")
        items.append({name: yaml_subset.quote(part) for name, part in value.items() if isinstance(part, str)})
    line = document.lines[start]
    head = f"{key}:{_comment(line)}"
    block = [head, *yaml_subset.block_items([*items, item], 2)]
    return _replaced(document, start, stop, [text + document.eol for text in block])


def _comment(line: str) -> str:
    """The comment behind the value on this line, with the white space before it; empty without one."""
    text = line.rstrip("\r\n")
    match = _KEY.match(text)
    rest = text[match.end() :].lstrip() if match else ""
    if rest[:1] in ('"', "'", "[", "{"):
        # A '#' inside quotes is no comment: look only behind the value's end.
        rest = rest[yaml_subset.value_end(rest) :]
    found = _TRAILING_COMMENT.search(" " + rest)
    return found.group() if found else ""


def _inserted(document: Document, lines: Sequence[str]) -> Document:
    at = len(document.lines)
    return _replaced(document, at, at, [line + document.eol for line in lines])


def _replaced(document: Document, start: int, stop: int, lines: Sequence[str]) -> Document:
    return replace(document, lines=(*document.lines[:start], *lines, *document.lines[stop:]))
