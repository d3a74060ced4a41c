"""What functions give to whom: asked as their owner runs them, with a caller's claims, and kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, islice, product

from tools.rls.bodies import body_of
from tools.rls.objects import Function
from tools.rls.proof.actors import Actor, literal
from tools.rls.proof.attack import Campaign
from tools.rls.proof.standing import Record
from tools.rls.proof.world import WorldRow, quoted
from tools.rls.reach import Reach, reach
from tools.rls.sqltree import constant


@dataclass(slots=True, eq=False)
class Gifts:
    """Asks one campaign's functions, each thing once."""

    campaign: Campaign
    _records: dict[tuple[int, int, Record], bool] = field(default_factory=dict[tuple[int, int, Record], bool])
    _foreign: dict[tuple[int, int], bool] = field(default_factory=dict[tuple[int, int], bool])

    @property
    def reached(self) -> Reach:
        """What expressions reach."""
        return reach(self.campaign.world.snapshot)

    def record(self, actor: Actor, function: Function, record: Record) -> bool:
        """Whether a function gives a record's key, or says yes to it."""
        key = (id(actor), function.oid, record)
        if key not in self._records:
            self._records[key] = self._asked(actor, function, record)
        return self._records[key]

    def others(self, actor: Actor, function: Function) -> bool:
        """Whether a function that is asked for nothing gives keys of rows that are not the actor's: teams."""
        key = (id(actor), function.oid)
        if key not in self._foreign:
            self._foreign[key] = function.returns != "boolean" and any(
                self.campaign.standings.standing(actor, row).base in ("none", "ended")
                for row in self._given(actor, function)
            )
        return self._foreign[key]

    def _given(self, actor: Actor, function: Function) -> list[WorldRow]:
        """The rows that belong to somebody and whose keys a function without arguments gives."""
        if function.argument_types or function.is_trigger:
            return []
        name = f"{quoted(function.schema)}.{quoted(function.name)}"
        owner = replace(actor, role="") if function.definer else actor
        (answer,) = self.campaign.probing.answers(owner, [f"select array_agg(x::text)::text from {name}() x"])
        keys = set((answer or "").strip("{}").split(",")) - {""}
        world = self.campaign.world
        rows = [row for row in chain(*world.rows.values()) if row.values.get("id") in keys]
        return [
            row for row in rows if row.table != world.model.accounts and self.campaign.standings.scopes(row)
        ]

    def _asked(self, actor: Actor, function: Function, record: Record) -> bool:
        """Call it as its owner would run it, with the caller's claims, and look for the record's key."""
        name = f"{quoted(function.schema)}.{quoted(function.name)}"
        pools: list[list[str]] = []
        for kind, parameter in zip(function.argument_types, function.arguments, strict=False):
            if kind not in ("uuid", "text", "bigint", "integer", "character varying"):
                return False
            about_caller = any(word in parameter for word in ("user", "account", "uid", "caller", "person"))
            if kind in ("text", "character varying"):
                words = self._constants(function, len(pools)) or ["read", "write", "admin"]
                pools.append([f"{literal(word)}::{kind}" for word in words])
            else:
                pools.append([f"{literal(actor.account if about_caller else record[1])}::{kind}"])
        owner = replace(actor, role="") if function.definer else actor
        texts = [
            f"select array_agg(x::text)::text from {name}({', '.join(arguments)}) x"
            for arguments in islice(product(*pools), 8)
        ]
        answers = [answer or "" for answer in self.campaign.probing.answers(owner, texts)]
        if function.returns == "boolean":
            return "{true}" in answers
        return any(record[1] in answer for answer in answers)

    def _constants(self, function: Function, position: int) -> list[str]:
        """What callers pass at a position: constants at the call sites of policies and functions."""
        found: dict[str, None] = {}
        snapshot = self.campaign.world.snapshot
        places = [(facts, ()) for policy in snapshot.policies for facts in policy.parts()]
        places += [(facts, self.reached.path(f)) for f in snapshot.functions for facts in body_of(f).facts]
        for facts, path in places:
            for call in facts.calls:
                if call.name == function.name and function in self.reached.resolve(call, path):
                    value = constant(call.arguments[position]) if position < len(call.arguments) else None
                    if isinstance(value, str):
                        found[value] = None
        return list(found)
