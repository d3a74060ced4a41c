"""Regression tests from a proof: they fail while a leak is open and pass once it is closed.

Each test makes the rows of the leak's world, becomes the actor, does what he did, and rolls everything back.
`emit_pgtap` needs pgTAP on the server (`supabase test db`), `emit_pytest` needs psycopg and a variable with
the test database's URL. Both run as a login that passes row level security: the seed belongs to others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tools.rls.proof.verdict import Kind, Leak, Proof

_HEAD: Final = (Path(__file__).parent / "regression_head.txt").read_text(encoding="utf-8")
_REFUSALS: Final = ("42501", "44000", "P0001", "23514")
"""What a policy, a privilege, a view's check, a guard trigger or a CHECK raises when it refuses."""


def emit_pgtap(proof: Proof) -> str:
    """One pgTAP script. Without a leak or a denial it has no test, and says so."""
    cases = _cases(proof)
    lines = [*(f"-- {line}" for line in _preface(proof, cases)), ""]
    lines += [line for leak in _untold(proof) for line in _as_comment("--", leak)]
    if cases:
        lines += ["begin;", f"select plan({len(cases)});", ""]
        lines += [line for leak in cases for line in _pgtap(leak)]
        lines += ["select * from finish();", "rollback;"]
    return "\n".join(lines).rstrip() + "\n"


def emit_pytest(proof: Proof) -> str:
    """One pytest module. Without a leak or a denial it has no test, and says so."""
    cases = _cases(proof)
    preface = "\n".join(_preface(proof, cases)).replace("\\", "\\\\").replace('"""', "'''")
    lines = [f'"""{preface}\n"""', "", *(line for leak in _untold(proof) for line in _as_comment("#", leak))]
    if cases:
        lines.append(_HEAD)
        names: set[str] = set()
        lines += [line for leak in cases for line in _pytest(leak, _name(leak, names))]
    return "\n".join(lines).rstrip() + "\n"


def _cases(proof: Proof) -> tuple[Leak, ...]:
    return tuple(leak for leak in (*proof.leaks, *proof.denied) if leak.attack)


def _untold(proof: Proof) -> Iterable[Leak]:
    return (leak for leak in (*proof.leaks, *proof.denied) if not leak.attack)


def _preface(proof: Proof, cases: Sequence[Leak]) -> list[str]:
    said = f"Row level security of {_line(proof.target)}: regression tests written by Sergei from a proof."
    if not cases:
        return [said, "The proof showed no leak and no denial, so there is nothing to test."]
    return [
        said,
        f"{len(cases)} test{'' if len(cases) == 1 else 's'}; seed {proof.seed}, inputs {proof.inputs[:16]}.",
        "Each fails while the fault is there and passes once it is mended.",
        "Every row is made up, and rolled back at the end.",
        "Run it against a test database with your schema, as a login that passes row level security.",
    ]


def _wanted(leak: Leak) -> str:
    return "reached" if leak.kind is Kind.DENIED else "refused"


def _pgtap(leak: Leak) -> list[str]:
    """One DO block: its own exception undoes all rows, while PL/pgSQL variables keep what happened."""
    refusals = [*_REFUSALS, *(["42883"] if leak.kind is Kind.CALL else [])]
    body = [
        "declare",
        "  stage text := 'seed'; outcome text; told text; n bigint;",
        "begin",
        "  begin",
        *_executed(leak.seed),
        "    stage := 'role and claims';",
        *_executed(leak.acting),
        "    stage := 'attack';",
        *_executed(leak.attack[:-1]),
        *_last(leak),
        "    raise exception using errcode = 'SRG01';",
        "  exception",
        "    when sqlstate 'SRG01' then null;",
        "    when others then",
        f"      outcome := case when stage = 'attack' and sqlstate in ({', '.join(map(_literal, refusals))})",
        "        then 'refused' else format('broken in %s: %s %s', stage, sqlstate, sqlerrm) end;",
        "  end;",
        "  perform set_config('sergei.outcome', outcome, true);",
        "end",
    ]
    quote = _tag("\n".join(body), "test")
    return [
        f"-- {_line(leak.sentence)}",
        f"-- As {_line(leak.actor)}. Mend it at {_line(leak.object)}.",
        f"do {quote}",
        *body,
        f"{quote};",
        f"select is(current_setting('sergei.outcome'), {_literal(_wanted(leak))}, {_literal(_title(leak))});",
        "",
    ]


def _last(leak: Leak) -> list[str]:
    statement = _quoted(leak.attack[-1])
    if leak.expect == "value":
        return [
            f"    execute {statement} into told;",
            "    outcome := 'reached';",
            "    if coalesce(told, 'f') in ('f', 'false') then outcome := 'refused'; end if;",
        ]
    counted = [
        "    get diagnostics n = row_count;",
        "    outcome := case when n > 0 then 'reached' else 'refused' end;",
    ]
    if leak.expect == "rows":
        return [f"    execute {statement};", *counted]
    return [
        f"    execute {statement};",
        "    execute 'set local role none';",
        "    stage := 'witness';",
        f"    execute {_quoted(leak.witness)};",
        *counted,
    ]


def _executed(statements: Iterable[str]) -> list[str]:
    return [f"    execute {_quoted(statement)};" for statement in statements]


def _pytest(leak: Leak, name: str) -> list[str]:
    given = [
        *_listed("seed", leak.seed),
        *_listed("acting", leak.acting),
        *_listed("attack", leak.attack),
        f'        expect="{leak.expect}",',
        *([f"        witness={_python(leak.witness)},"] if leak.witness else []),
        *(["        gone=True,"] if leak.kind is Kind.CALL else []),
    ]
    return [
        "",
        f"def {name}(connection):",
        f"    # As {_line(leak.actor)}.",
        f"    # Mend it at {_line(leak.object)}.",
        "    seen = outcome(",
        "        connection,",
        *given,
        "    )",
        f'    assert seen == "{_wanted(leak)}", {_line(leak.sentence)!r}',
        "",
    ]


def _listed(name: str, statements: Sequence[str]) -> list[str]:
    if not statements:
        return [f"        {name}=[],"]
    return [
        f"        {name}=[",
        *(f"            {_python(statement)}," for statement in statements),
        "        ],",
    ]


def _python(text: str) -> str:
    """A string of Python that reads as the SQL does, where that is possible."""
    plain = "\\" not in text and '"""' not in text and not text.endswith('"')
    return f'"""{text}"""' if plain and "'" in text and '"' in text else repr(text)


def _name(leak: Leak, taken: set[str]) -> str:
    """A function name that is new among `taken`."""
    words = re.sub(r"[^a-z0-9]+", "_", f"{leak.kind} {leak.object}".lower()).strip("_")[:70].strip("_")
    stem = f"test_{words}"
    number = 1
    while (name := stem if number == 1 else f"{stem}_{number}") in taken:
        number += 1
    taken.add(name)
    return name


def _title(leak: Leak) -> str:
    return f"{_line(leak.object)}: {_line(leak.sentence)}"


def _as_comment(mark: str, leak: Leak) -> list[str]:
    """A leak that has no steps of its own is kept as a comment, never left out in silence."""
    lines = [f"Not turned into a test: {_line(leak.sentence)}", *leak.replay.splitlines()]
    return [*(f"{mark} {line}".rstrip() for line in lines), ""]


def _line(text: str) -> str:
    """Names come from the database: a line break in one must not end a comment."""
    return " ".join(text.split())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if "\\" not in text else _quoted(text)


def _quoted(text: str) -> str:
    tag = _tag(text, "sql")
    return f"{tag}{text.strip()}{tag}"


def _tag(text: str, word: str) -> str:
    number = 0
    while (tag := f"${word}{number or ''}$") in text + "$":
        number += 1
    return tag
