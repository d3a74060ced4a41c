"""Atoms and the one statement that asks about many of them: did this one decide an outcome, and which way?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.rls.proof.coverage.blocks import Block
from tools.rls.proof.coverage.trees import atoms_of, deciding, rendered


@dataclass(slots=True, eq=False)
class Atom:
    """One atomic condition of one block, and what was seen of it."""

    block: Block
    number: int
    seen: set[bool] = field(default_factory=set[bool])
    reason: str = ""
    quick: Block | None = None
    """The same block over a table of callers."""
    hindered: str = ""
    """Why some rows could not be asked."""
    done: bool = False
    """Every caller was asked."""

    @property
    def open(self) -> bool:
        """Whether one way is still missing and may yet be found."""
        return len(self.seen) < 2 and not self.reason and not self.done

    def wants(self, value: bool) -> bool:
        """Whether this way is still missing."""
        return value not in self.seen


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement that gives one array: two answers for each atom, as true and as false."""

    text: str
    atoms: tuple[Atom, ...]

    def take(self, answers: Sequence[bool]) -> None:
        """Note what was seen."""
        for number, atom in enumerate(self.atoms):
            atom.seen |= {
                value for value, yes in zip((True, False), answers[2 * number :], strict=False) if yes
            }


def question(atoms: Sequence[Atom], *, guarded: bool = False, quick: bool = False) -> Asked:
    """Blocks over the same single relation share one scan; where rows multiply, every answer stands alone."""
    parts: list[str] = []
    order: list[Atom] = []
    groups: dict[object, list[Atom]] = {}
    for atom in atoms:
        block = _block(atom, quick)
        key: object = id(atom.block) if block.joined or guarded else block.froms
        groups.setdefault(key, []).append(atom)
    for group in groups.values():
        first = _block(group[0], quick)
        columns = _columns(dict.fromkeys(_block(atom, quick) for atom in group), guarded)
        rows = _rows(first, columns)
        tests = [test for atom in group for test in _tests(atom, _block(atom, quick), columns, guarded)]
        order += group
        if first.joined:
            # PostgreSQL may stop at the first row, and join by the conditions that hold.
            parts += [f"array[{', '.join(f'exists (select from ({rows}) as b where {t})' for t in tests)}]"]
        else:
            picked = ", ".join(f"coalesce(bool_or({test}), false)" for test in tests)
            parts.append(f"(select array[{picked}] from ({rows}) as b)")
    return Asked("select " + " || ".join(parts), tuple(order))


def _columns(blocks: Iterable[Block], guarded: bool) -> dict[str, str]:
    """Atom as SQL -> the name of its value."""
    found: dict[str, str] = {}
    for block in blocks:
        for number in range(len(block.split.atoms)):
            found.setdefault(_atom_sql(block, number, guarded), f"c{len(found)}")
    return found


def _block(atom: Atom, quick: bool) -> Block:
    return atom.quick if quick and atom.quick is not None else atom.block


def _tests(atom: Atom, block: Block, columns: dict[str, str], guarded: bool) -> list[str]:
    split = block.split
    names = [columns[_atom_sql(block, number, guarded)] for number in range(len(split.atoms))]
    decides = deciding(split.tree, atom.number, names)
    own = names[atom.number]
    return [f"{decides} and ({own} is {word})" for word in ("true", "not true")]


def _rows(block: Block, columns: dict[str, str]) -> str:
    """The atoms' values for every row that the condition is asked about."""
    query = "select " + ", ".join(f"{text} as {name}" for text, name in columns.items())
    if block.froms:
        query += f" from {block.froms[-1]}"
    for outer in reversed(block.froms[:-1]):
        query = f"select inside.* from {outer} cross join lateral ({query}) as inside"
    return query


def _atom_sql(block: Block, number: int, guarded: bool) -> str:
    """An atom; guarded: asked only where what stands before it leaves the outcome open."""
    tree, atoms = block.split.tree, [f"({text})" for text in block.split.atoms]
    text = atoms[number]
    if not guarded or isinstance(tree, int) or tree.operator not in ("and", "or"):
        return text
    before: list[str] = []
    for part in tree.parts:
        if number in atoms_of(part):
            break
        before.append(rendered(part, atoms))
    for test in reversed(before):
        text = f"(case when {test} is {'true' if tree.operator == 'and' else 'not true'} then {text} end)"
    return text
