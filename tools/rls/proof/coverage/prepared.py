"""Blocks rewritten over tables of callers, where nothing else in them depends on who asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tools.rls.proof.coverage.bindings import CALLER_VALUE
from tools.rls.proof.coverage.blocks import Block
from tools.rls.proof.coverage.callers import ALIAS, Callers
from tools.rls.proof.coverage.plans import Plan
from tools.rls.proof.coverage.questions import Atom
from tools.rls.proof.coverage.trees import Split, sql_of
from tools.rls.reach import reach
from tools.rls.snapshot import Snapshot
from tools.sandbox.scratch.session import ScratchSession


class Prepared:
    """One table of callers for each pair of eyes; blocks over them are kept in Atom.quick."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.eyes: dict[str, Callers] = {}
        self._blocks: dict[int, Block | None] = {}

    def add(self, plan: Plan, atom: Atom) -> None:
        """Rewrite the atom's block, if it can be."""
        block = atom.block
        if id(block) not in self._blocks:
            self._blocks[id(block)] = self._rewritten(plan, block)
        atom.quick = self._blocks[id(block)]

    def build(self, session: ScratchSession, callers: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Create the tables. `callers`: for each pair of eyes, roles and settings of everybody."""
        for role, table in self.eyes.items():
            table.build(session, callers[role])

    def _rewritten(self, plan: Plan, block: Block) -> Block | None:
        if block.reason or plan.eyes == "nobody" or not block.split.nodes:
            return None
        if plan.table is not None:
            role, sees_all = "", False
            if block.inner:
                return None
        elif plan.eyes == "owner" and self._sees_all(plan.owner):
            role, sees_all = plan.owner, True
        else:
            return None
        table = self._table(role)
        atoms: list[str] = []
        for node in block.split.nodes:
            written, alone = table.written(node, plan.path, sees_all=sees_all)
            if not alone:
                return None
            atoms.append(sql_of(written))
        froms = tuple(self._named(text, table) for text in block.froms)
        if any("auth." in text for text in froms):
            return None
        split = Split(block.split.tree, tuple(atoms), block.split.nodes)
        return replace(block, split=split, froms=(table.source(block.roles), *froms))

    def _named(self, text: str, table: Callers) -> str:
        if CALLER_VALUE not in text:
            return text
        number = table.expressions.setdefault("auth.uid()", len(table.expressions) + 1)
        return text.replace(CALLER_VALUE, f"select {ALIAS}.v{number}::text")

    def _sees_all(self, owner: str) -> bool:
        role = self.snapshot.roles.get(owner)
        return role is not None and (role.superuser or role.bypassrls)

    def _table(self, role: str) -> Callers:
        if role not in self.eyes:
            self.eyes[role] = Callers(reach(self.snapshot), role, f"sergei_callers_{len(self.eyes)}")
        return self.eyes[role]
