"""`make bench-phi`: what the PHI gate finds, what it lets out, and what it costs. No network.

    .venv/bin/python -m benchmarks.phi

Synthetic people from a fixed seed: 1,000 rows of 40 columns under names that say nothing, names that lie,
nested JSON and notes with identifiers; then 1,000 plain rows for the time.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier

from agent.approvals import Approvals, Mode
from agent.audit import AuditLog
from agent.executor import Executor
from benchmarks.phi_vocabularies import HELD_OUT, TUNED
from tools import catalogue
from tools.database.connection import Database
from tools.database.linkage import Attribute, Table, link
from tools.database.phi import attribute_verdict
from tools.database.reading import read_rows
from tools.redaction import Redactor
from tools.resources import Resources
from tools.sandbox.cluster import Cluster, SandboxSettings

ROWS, COLUMNS, ROUNDS = 1_000, 40, 7
_TYPES = {
    "i": ("integer", "N"), "n": ("numeric", "N"), "t": ("text", "S"), "d": ("date", "D"),
    "ts": ("timestamp with time zone", "D"), "b": ("boolean", "B"),
}  # fmt: skip
_FIRST = ("Null", "O'Brien", "Zoë", "Nguyễn", "Jürgen", "True", "Select", "Jean-Luc", "山田", "D'Arcy")
_LAST = ("Drop", "Ødegård", "von der Heide", "M'Bala", "Código", "Smith", "Name", "Öztürk", "Straße", "Ng")
_LEAKY = (
    "select * from {t}", "select c1 as code from {t}", "select to_jsonb(x) from {t} x",
    "select x::text from {t} x",
    "select json_agg(c2) from {t}", "select string_agg(c1, ',') from {t}", "select min(c1), max(c3) from {t}",
    "select c5 ->> 'name', c5 -> 'contacts' -> 0 ->> 'phone' from {t}",
    "select upper(c1), left(c2, 4) from {t}",
    "select key, value from {t}, jsonb_each(c5)", "select c1::int from {t}", "select c4::date from {t}",
    "select xmlelement(name x, c1) from {t}", "select array_agg(c6) from {t}", "select distinct c1 from {t}",
    "select c1 from {t} union all select 'x'", "with w as (select c1 n from {t}) select n from w",
    "select regexp_split_to_table(c4, ' ') from {t}", "select case when true then c1 end from {t}",
    "select lag(c1) over (order by c1) from {t}", "select row(c1, c2) from {t}", "select c1 || c2 from {t}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """Columns that are PHI and masked, PHI and shown, safe and masked, safe and shown."""

    masked_phi: int
    shown_phi: int
    masked_safe: int
    shown_safe: int
    missed: tuple[str, ...]
    overdone: tuple[str, ...]

    @property
    def recall(self) -> float:
        """How much of what is PHI is masked."""
        return self.masked_phi / max(self.masked_phi + self.shown_phi, 1)

    @property
    def precision(self) -> float:
        """How much of what is masked is PHI."""
        return self.masked_phi / max(self.masked_phi + self.masked_safe, 1)


def score(vocabulary: str) -> Score:
    """Classify the columns of a vocabulary and compare."""
    tables, truth = _parse(vocabulary)
    linkage = link(tables)
    both = (True, False)
    outcome: dict[tuple[bool, bool], list[str]] = {(phi, masked): [] for phi in both for masked in both}
    for table in tables:
        for column in table.columns.values():
            name = f"{table.name}.{column.name}"
            outcome[truth[name], not attribute_verdict(column, linkage).shown].append(name)
    return Score(
        len(outcome[True, True]), len(outcome[True, False]),
        len(outcome[False, True]), len(outcome[False, False]),
        missed=tuple(outcome[True, False]), overdone=tuple(outcome[False, True]),
    )  # fmt: skip


def _parse(vocabulary: str) -> tuple[list[Table], dict[str, bool]]:
    tables: list[Table] = []
    truth: dict[str, bool] = {}
    for oid, line in enumerate(re.sub(r"\n ", " ", vocabulary.strip()).splitlines(), 1):
        name, _, listed = line.partition(": ")
        columns: dict[int, Attribute] = {}
        for number, words in enumerate([part for part in listed.split(",") if part.strip()], 1):
            column, kind, label = str(words).split()
            length = int(kind[1:]) if kind[0] == "v" else None
            type_name, category = ("character varying", "S") if length else _TYPES[kind]
            columns[number] = Attribute(
                oid, number, column, type_name, "b", category, number == 1, None, False, length=length
            )
            truth[f"{name}.{column}"] = label == "P"
        tables.append(Table(oid, "public", name, "r", (), columns))
    return tables, truth


def main() -> None:
    """Print the figures."""
    for title, vocabularies in (("tuned on", TUNED), ("held out", HELD_OUT)):
        print(f"\ncolumns of published schemas, {title}")
        for name, vocabulary in vocabularies.items():
            found = score(vocabulary)
            print(f"  {name:<42} recall {found.recall:6.1%}  precision {found.precision:6.1%}")
            print("".join(f"      shown: {column}\n" for column in found.missed), end="")
        total = [score(vocabulary) for vocabulary in vocabularies.values()]
        phi = sum(s.masked_phi for s in total)
        recall = phi / sum(s.masked_phi + s.shown_phi for s in total)
        precision = phi / sum(s.masked_phi + s.masked_safe for s in total)
        print(f"  {'all':<42} recall {recall:6.1%}  precision {precision:6.1%}")
    asyncio.run(_measure())


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        with Cluster.open(SandboxSettings(cache_dir=cache)) as cluster, cluster.scratch("bench") as dsn:
            planted = build(dsn)
            database = Database(dsn, environment="sandbox")
            try:
                leaked, asked = await _leaks(database, planted, Path(folder))
                print(f"\nvalues that leave: {leaked} of {len(planted):,} planted, over {asked} queries")
                for title, table in (("plain rows", "product_codes"), ("rows of persons", "vorgang")):
                    query, redaction, rows = await _seconds(database, f"select * from {table}")
                    print(
                        f"{title:<16} {rows:,} x {COLUMNS}: query {query * 1000:6.1f} ms, redaction "
                        f"{redaction * 1000:6.1f} ms ({redaction / query:.0%} of the query)"
                    )
            finally:
                await database.close()


def build(dsn: str) -> set[str]:
    """A table of persons whose names say nothing, one whose names lie, and a lookup. The planted values."""
    draw = random.Random(20)
    planted: set[str] = set()
    rows = [_person(draw, number, planted) for number in range(ROWS)]
    texts: list[LiteralString] = ["text"]
    kinds: list[LiteralString] = ["text", "text", "date", "text", "jsonb", "text[]", "bytea"]
    kinds += texts * (COLUMNS - len(kinds))
    with psycopg.connect(dsn) as connection:
        for table, names in (("vorgang", _plain_names()), ("zz9", _lying_names())):
            columns = SQL(", ").join(
                SQL("{} {}").format(Identifier(name), SQL(kind))
                for name, kind in zip(names, kinds, strict=True)
            )
            connection.execute(SQL("create table {} ({})").format(Identifier(table), columns))
            with connection.cursor().copy(SQL("copy {} from stdin").format(Identifier(table))) as copy:
                for row in rows:
                    copy.write_row(row)
        numbers = [SQL("{} integer").format(Identifier(f"number{n}")) for n in range(20)]
        labels = [SQL("{} text").format(Identifier(f"label_{n}")) for n in range(19)]
        columns = SQL(", ").join([SQL("code text primary key"), *numbers, *labels])
        connection.execute(SQL("create table product_codes ({})").format(columns))
        with connection.cursor().copy("copy product_codes from stdin") as copy:
            for number in range(ROWS):
                words = [draw.choice(("dose", "box ten", "pack", "i-17", "E11.9")) for _ in range(19)]
                copy.write_row([f"P-{number:05d}", *[number + n for n in range(20)], *words])
        connection.execute("analyze")
    return planted


def _plain_names() -> list[str]:
    return [f"c{number}" for number in range(1, COLUMNS + 1)]


def _lying_names() -> list[str]:
    """Names of codes and flags over columns that hold persons."""
    words = (
        "c1",
        "c2",
        "c3",
        "c4",
        "c5",
        "c6",
        "c7",
        "version",
        "label",
        "title",
        "kind_text",
        "display",
        "unit_text",
    )
    return [*words, *(f"level_{number}_text" for number in range(COLUMNS - len(words)))]


def _person(draw: random.Random, number: int, planted: set[str]) -> list[object]:
    mark = f"{number:04d}{draw.randrange(10**6):06d}"
    name = f"{draw.choice(_FIRST)} {draw.choice(_LAST)}-{mark}"
    email, phone = f"p{mark}@clinic.example", f"+353 86 {mark[:3]} {mark[3:7]}"
    born = f"19{draw.randrange(30, 99)}-0{draw.randrange(1, 9)}-1{draw.randrange(9)}"
    note = (
        f"{name}, born {born}, MRN: {mark}, mail {email}, tel {phone}, lives at {number + 1} Elm Grove Road."
    )
    document = json.dumps({"name": name, "contacts": [{"phone": phone, "notes": [note]}]})
    planted |= {mark, name, email, phone}
    rest = [draw.choice((name, mark, email, phone, note)) for _ in range(COLUMNS - 7)]
    return [name, email, born, note, document, [name, phone], name.encode(), *rest]


async def _leaks(database: Database, planted: set[str], folder: Path) -> tuple[int, int]:
    gate = Executor(
        catalogue(),
        Resources(database_or_none=database),
        approvals=Approvals(Mode.INVESTIGATE),
        redactor=Redactor(),
        audit=AuditLog.open(folder / "audit.jsonl", face="bench"),
    )
    told: list[str] = []
    statements = [sql.format(t=table) for table in ("vorgang", "zz9") for sql in _LEAKY]
    for sql in statements:
        for name, arguments in (
            ("execute_sql", {"sql": sql, "max_rows": 1_000}),
            ("explain_query", {"sql": sql, "analyze": True}),
        ):
            outcome = await gate.call(name, arguments)
            told += [outcome.markdown(), outcome.fenced(), json.dumps(outcome.structured())]
    everything = "\n".join([*told, gate.audit.path.read_text(encoding="utf-8")])
    return sum(value in everything for value in planted), len(statements) * 2


async def _seconds(database: Database, sql: str) -> tuple[float, float, int]:
    """Medians: the query up to its sealed rows, and their redaction; and how many rows that was."""
    queries: list[float] = []
    redactions: list[float] = []
    count = 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        rows = await read_rows(database, sql, limit=ROWS)
        between = time.perf_counter()
        count = rows.redacted(Redactor()).row_count
        queries.append(between - started)
        redactions.append(time.perf_counter() - between)
    return statistics.median(queries), statistics.median(redactions), count


if __name__ == "__main__":
    main()
