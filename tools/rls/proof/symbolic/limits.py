"""What values columns may have: labels of enums, CHECK constraints, and the words that the schema uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from tools.rls.facts import Facts, expression
from tools.rls.proof.model import Model
from tools.sandbox.scratch.shapes import Shape

Place = tuple[str, str]
"""A table's title and one of its columns."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`labels`: all values of a column; `constants`: values that somebody names; `checks`: by table."""

    labels: Mapping[Place, tuple[str, ...]]
    constants: Mapping[Place, tuple[str, ...]]
    checks: Mapping[str, tuple[Facts, ...]]

    @classmethod
    def of(cls, model: Model, shapes: Mapping[str, Shape]) -> Self:
        """From the tables' shapes; without them columns are free."""
        labels: dict[Place, tuple[str, ...]] = {}
        constants = dict(model.constants)
        checks: dict[str, tuple[Facts, ...]] = {}
        for title, shape in shapes.items():
            for column in shape.columns:
                if column.kind == "e" and column.labels:
                    labels[title, column.name] = column.labels
            read = [(check, expression(check.expression)) for check in shape.checks]
            checks[title] = tuple(facts for _, facts in read if facts is not None)
            for check, facts in read:
                if facts is not None and len(check.columns) == 1:
                    place = (title, check.columns[0])
                    constants[place] = (*constants.get(place, ()), *facts.constants)
        return cls(labels, constants, checks)
