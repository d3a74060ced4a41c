"""The access matrix as text for a terminal, as CSV, and as one HTML page without outside reference."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final, Literal

from tools.rls.matrix.access import COMMANDS, Extent
from tools.rls.matrix.answer import LEGEND, WORDS, Line, Matrix, reason, together

_HERE: Final = Path(__file__).parent
_STYLE: Final = (_HERE / "page.css").read_text(encoding="utf-8") + (_HERE / "matrix.css").read_text(
    encoding="utf-8"
)
_HEADINGS: Final = (
    "role", "schema", "relation", "kind", "rls", "in_api", "command", "access", "why", "policies",
    "restrictive", "columns", "notes",
)  # fmt: skip


def text(matrix: Matrix) -> str:
    """One relation a line, one column a role; what a cell rests on where it was asked for."""
    rows = [("relation", "RLS", *matrix.roles)]
    rows += [
        (name, line.rls or line.kind, *(line.marks(role) for role in matrix.roles))
        for name, line in together(matrix.relations, matrix.roles)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines = [f"Who may do what in {matrix.target}", "", *lines, "", LEGEND.replace("`", "")]
    if matrix.detail:
        lines += ["", *_reasons(matrix)]
    return "\n".join([*lines, "", *_below(matrix)])


def _reasons(matrix: Matrix) -> Iterable[str]:
    for line in matrix.relations:
        yield line.title
        for cell in line.cells:
            yield f"  {cell.role} {cell.command}: {reason(cell)}"
        for policy in line.policies:
            yield f"    policy {policy}"


def _below(matrix: Matrix) -> Iterable[str]:
    for security in ("definer", "invoker"):
        for role in matrix.roles:
            names = [
                f.function if matrix.detail else f.short
                for f in matrix.functions
                if f.security == security and role in f.roles
            ]
            shown = names if matrix.detail else names[:6]
            more = f" and {len(names) - len(shown)} more (--detail)" if len(names) > len(shown) else ""
            if names:
                yield f"{role} may execute {len(names)} security {security}: {', '.join(shown)}{more}"
    for one in matrix.unbound:
        yield f"Not bound by row level security: {one.what} ({one.why})"
    for gap in matrix.not_examined:
        yield f"Not examined: {gap.what} ({gap.why})"


def csv_text(matrix: Matrix) -> str:
    """One row per role, relation and command, those without a privilege too; functions as EXECUTE."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADINGS)
    for line in matrix.relations:
        for role in matrix.roles:
            for command in COMMANDS:
                writer.writerow([_cell(value) for value in _row(line, role, command)])
    for function in matrix.functions:
        for role in function.roles:
            row = [role, function.function.partition(".")[0], function.function, "function", ""]
            row += [
                _yes(function.api),
                "EXECUTE",
                Extent.EVERY,
                f"security {function.security}",
                "",
                "",
                "",
                "",
            ]
            writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _row(line: Line, role: str, command: str) -> list[str]:
    cell = line.cell(role, command)
    head = [role, line.schema_, line.relation, line.kind, line.rls, _yes(line.api), command]
    if cell is None:
        return [*head, Extent.NONE, "", "", "", "", ""]
    columns = "" if cell.columns is None else " ".join(cell.columns)
    rest = [" ".join(cell.policies), " ".join(cell.restrictive), columns, "; ".join(cell.notes)]
    return [*head, cell.access, cell.why, *rest]


def _cell(value: str) -> str:
    """A name that begins like a formula must not become one in a spreadsheet."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def html(matrix: Matrix, now: datetime) -> str:
    """The page. The digest at its foot is over the matrix, not over the time."""
    digest = sha256(matrix.model_dump_json(by_alias=True).encode()).hexdigest()
    reasons = "".join(_html_reasons(line) for line in matrix.relations if line.cells)
    gaps = "".join(f"<dt>{escape(g.what)}</dt><dd>{escape(g.why)}</dd>" for g in matrix.not_examined)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sergei: access to {escape(matrix.target)}</title><style>{_STYLE}</style></head><body><main>
<h1>Who may do what in {escape(matrix.target)}</h1>
<p class="dim">{escape(now.strftime("%Y-%m-%d %H:%M UTC"))}. Effective access by role, relation and command.
Point at a cell for its reason; all reasons stand below.</p>
{section(matrix, "h2")}
<h2>Reasons</h2>{reasons}
<h2>Not examined</h2>{f"<dl>{gaps}</dl>" if gaps else "<p>Everything in scope was examined.</p>"}
<p class="dim">Digest of this matrix: <code>{digest}</code></p>
</main></body></html>
"""


def section(matrix: Matrix, heading: Literal["h2", "h3"]) -> str:
    """The matrix itself, the functions and the unbound roles: what a larger page takes over."""
    roles = "".join(f'<th colspan="4">{escape(role)}</th>' for role in matrix.roles)
    letters = "".join(f"<th>{command[0]}</th>" for _ in matrix.roles for command in COMMANDS)
    body = "".join(_html_line(n, line, matrix.roles) for n, line in together(matrix.relations, matrix.roles))
    functions = "".join(
        f"<tr><td>{escape(f.function)}</td><td>{f.security}</td><td>{escape(', '.join(f.roles))}</td></tr>"
        for f in matrix.functions
    )
    unbound = "".join(f"<li>{escape(one.what)}: {escape(one.why)}</li>" for one in matrix.unbound)
    legend = "".join(f'<span class="cell {e}">{_SIGNS[e]}</span> {WORDS[e]} &ensp;' for e in Extent)
    return f"""<p class="legend">{legend}</p>
<div class="scroll"><table class="matrix"><thead>
<tr><th rowspan="2">relation</th><th rowspan="2">RLS</th>{roles}</tr>
<tr>{letters}</tr></thead><tbody>{body}</tbody></table></div>
<{heading}>Functions that these roles may execute</{heading}>
<div class="scroll"><table><thead><tr><th>function</th><th>security</th><th>roles</th></tr></thead>
<tbody>{functions or '<tr><td colspan="3">none</td></tr>'}</tbody></table></div>
<{heading}>Roles that row level security does not bind</{heading}><ul>{unbound or "<li>none</li>"}</ul>
"""


_SIGNS: Final = {Extent.NONE: "·", Extent.DENIED: "0", Extent.ROWS: "~", Extent.EVERY: "✱"}


def _html_line(name: str, line: Line, roles: Iterable[str]) -> str:
    cells: list[str] = []
    for role in roles:
        for number, command in enumerate(COMMANDS):
            cell = line.cell(role, command)
            first = " first" if number == 0 else ""
            if cell is None:
                cells.append(f'<td class="cell none{first}">{_SIGNS[Extent.NONE]}</td>')
                continue
            part = f"<sub>{len(cell.columns)}</sub>" if cell.columns is not None else ""
            told = escape(f"{role} {command}: {reason(cell)}", quote=True)
            cells.append(
                f'<td class="cell {cell.access}{first}" title="{told}">{_SIGNS[cell.access]}{part}</td>'
            )
    note = "" if line.api else ' <span class="dim">not in the API</span>'
    kind = "" if line.kind == "table" else f' <span class="dim">{line.kind}</span>'
    rls = f'<td class="rls {line.rls}">{line.rls or "–"}</td>'
    return f"<tr><th>{escape(name)}{kind}{note}</th>{rls}{''.join(cells)}</tr>"


def _html_reasons(line: Line) -> str:
    said = "".join(
        f"<li><b>{escape(cell.role)} {cell.command}</b>: {escape(reason(cell))}</li>" for cell in line.cells
    )
    said += "".join(f"<li><code>{escape(policy)}</code></li>" for policy in line.policies)
    return f"<details><summary>{escape(line.title)}</summary><ul>{said}</ul></details>"
