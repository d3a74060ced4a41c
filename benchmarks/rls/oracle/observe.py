"""Ask everybody everything: answers by actor and probe, and what a change lets somebody gain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.rls.case import Actor, Case, Connection, Step
from benchmarks.rls.oracle import probes
from benchmarks.rls.oracle.probes import Probe
from benchmarks.rls.oracle.world import Known

DRIVER: Final = Path(__file__).with_name("driver.sql")
Answers = dict[tuple[str, str], str]

FUNCTIONS: Final = """
select n.nspname || '.' || p.proname,
       coalesce(p.proargnames[:p.pronargs], '{}'),
       array(select format_type(t, null) from unnest(p.proargtypes) as t),
       p.proretset, p.provolatile = 'v'
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'public' and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
order by 1, p.oid::regprocedure::text
"""


@dataclass(frozen=True, slots=True)
class Gain:
    """What an actor can do that the clean schema refuses."""

    actor: str
    probe: str
    answer: str


@dataclass(slots=True)
class Asked:
    """Everything needed to ask about one database."""

    case: Case
    connection: Connection
    actors: Mapping[str, Actor]
    known: Mapping[str, Known]

    def ask(self, title: str, writes: bool = True) -> Answers:
        """Every probe of one relation, by every actor."""
        relation = self.known[title]
        answers: Answers = {}
        for actor in self.actors.values():
            first = list(probes.reads(relation, self.case.topics))
            maybe: list[tuple[Any, Probe]] = []
            if writes:
                first += probes.deletes(relation)
                first += probes.inserts(relation, actor, self.case, self.actors)
                maybe = list(probes.untouched(relation))
            found = self.run(actor, first + [probe for _, probe in maybe])
            answers |= found
            second = [
                probe
                for column, unchanged in maybe
                if found[actor.name, unchanged.key] not in ("0", "!42501p")
                for probe in probes.changes(relation, column, actor, self.case, self.actors)
            ]
            answers |= self.run(actor, second)
        return answers

    def ask_functions(self, only: Iterable[str] | None = None) -> Answers:
        """Every function of the API, called by every actor with other people's ids."""
        wanted = None if only is None else set(only)
        functions = [
            row for row in self.connection.execute(FUNCTIONS).fetchall() if wanted is None or row[0] in wanted
        ]
        pool = self._pool()
        answers: Answers = {}
        for actor in self.actors.values():
            calls = [
                probe
                for named, arguments, types, many, volatile in functions
                if len(arguments) == len(types)
                for probe in probes.calls((named, arguments, types, many, volatile), pool, actor, self.case)
            ]
            answers |= self.run(actor, calls)
        return answers

    def ask_after(self, chain: str, titles: Iterable[str]) -> Answers:
        """What everybody reads after a chain of steps."""
        answers: Answers = {}
        steps = self.case.chains[chain]
        with self.connection.transaction(force_rollback=True):
            done = [self._step(step) for step in steps]
            for actor in self.actors.values():
                reads = [p for title in titles for p in probes.reads(self.known[title], self.case.topics)]
                for key, answer in self._call(actor, reads).items():
                    answers[key[0], f"after {chain}: {key[1]}"] = answer
        answers["", f"steps of {chain}"] = ",".join(str(n) for n, ok in enumerate(done) if ok)
        return answers

    def ask_then(self, through: str, titles: Iterable[str]) -> Answers:
        """What an actor reads after a permitted write of its own into one relation."""
        looks = [
            f"(select string_agg({probes.labels(k)}, ',') from {probes.title(k)} t)"
            for k in map(self.known.__getitem__, titles)
        ]
        after = "select concat_ws(',', " + ", ".join(looks) + ")"
        relation = self.known[through]
        answers: Answers = {}
        for actor in self.actors.values():
            writes = list(probes.inserts(relation, actor, self.case, self.actors))
            for column, _ in probes.untouched(relation):
                writes += probes.changes(relation, column, actor, self.case, self.actors)
            asked = [Probe(f"then {p.key}", p.sql, p.topic, after) for p in writes]
            answers |= self.run(actor, asked)
        return answers

    def run(self, actor: Actor, asked: list[Probe]) -> Answers:
        """The answers to some probes, in a transaction that is undone."""
        if not asked:
            return {}
        with self.connection.transaction(force_rollback=True):
            return self._call(actor, asked)

    def _call(self, actor: Actor, asked: list[Probe]) -> Answers:
        row = self.connection.execute(
            "select probing.run(%s, %s, %s, %s, %s)",
            [
                actor.role,
                json.dumps(actor.claims),
                [p.sql for p in asked],
                [p.topic for p in asked],
                [p.after for p in asked],
            ],
        ).fetchone()
        self.connection.execute("reset role")
        found: list[str] = row[0] if row else []
        return {(actor.name, probe.key): answer for probe, answer in zip(asked, found, strict=True)}

    def _step(self, step: Step) -> bool:
        actor = self.actors[step.actor] if step.actor else None
        role, claims = (actor.role, json.dumps(actor.claims)) if actor else ("none", "")
        row = self.connection.execute("select probing.step(%s, %s, %s)", [role, claims, step.sql]).fetchone()
        return bool(row and row[0])

    def _pool(self) -> dict[str, list[str]]:
        pool: dict[str, list[str]] = {"*": list(self.case.interesting)}
        for title, relation in self.known.items():
            if relation.kind in ("r", "p") and relation.key == ("id",):
                stem = title.partition(".")[2].removesuffix("s")
                ids = [str(r["id"]) for r in relation.rows]
                for short in (stem, stem.split("_")[-1]):
                    pool.setdefault(short, [])
                    pool[short] += [i for i in ids if i not in pool[short]]
        for title in self.case.anchors:
            stem = title.partition(".")[2].removesuffix("s")
            pool[stem] = [*pool["*"], *(i for i in pool.get(stem, []) if i not in pool["*"])]
        return pool


def gains(clean: Answers, changed: Answers) -> list[Gain]:
    """What the answers of a changed database have that the clean one's lack."""
    found: list[Gain] = []
    for (actor, key), answer in changed.items():
        before = clean.get((actor, key), "")
        if answer == before or answer.startswith("!") or key.startswith("steps of "):
            continue
        if _more(key, before, answer):
            found.append(Gain(actor, key, answer[:60]))
    return found


def differences(clean: Answers, changed: Answers) -> list[tuple[str, str, str, str]]:
    """Every answer that is another one, for rewrites that must change nothing."""
    return [
        (actor, key, clean.get((actor, key), ""), changed.get((actor, key), ""))
        for actor, key in clean.keys() | changed.keys()
        if _shown(clean.get((actor, key), "")) != _shown(changed.get((actor, key), ""))
    ]


def _shown(answer: str) -> tuple[str, ...]:
    """The order of rows is no difference, and neither is the reason of a refusal."""
    return ("!",) if answer.startswith("!") else tuple(sorted(answer.split(",")))


def _more(key: str, before: str, answer: str) -> bool:
    if "|" in answer:  # a write and what was read after it
        return bool(_rows(answer.partition("|")[2]) - _rows(before.partition("|")[2])) or (
            before.startswith("!") and answer.partition("|")[0] not in ("", "0")
        )
    if key.startswith(("insert", "update", "delete", "then")):
        return int(answer or 0) > (
            0 if before.startswith("!") or not before else int(before.partition("|")[0])
        )
    if "read column" in key or (key.startswith("call") and answer.isdigit()):
        return int(answer or 0) > (int(before) if before.isdigit() else 0)
    return bool(_rows(answer) - _rows(before))


def _rows(answer: str) -> set[str]:
    return set() if answer.startswith("!") else {label for label in answer.split(",") if label}
