"""Boolean structure of an SQL expression: atomic conditions under AND, OR, NOT, CASE, COALESCE and IS.

An atom decides the outcome when turning it over, with all others as they are, turns the outcome over. NULL
counts as false at the top, as it does in a policy and in WHERE.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from postgast import deparse
from postgast import pg_query_pb2 as pb

Tree: TypeAlias = "int | Branch"
"""An atom's number, or an operator over trees."""

_IS: Final = {
    1: "is true", 2: "is not true", 3: "is false", 4: "is not false", 5: "is unknown", 6: "is not unknown",
}  # fmt: skip
_COMPARING: Final = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})


@dataclass(frozen=True, slots=True)
class Branch:
    """`operator` is and, or, not, coalesce, case, an IS test, or true, false or null
    without parts."""

    operator: str
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """A condition taken apart: its structure and the SQL of its atoms, each once."""

    tree: Tree
    atoms: tuple[str, ...]
    nodes: tuple[Any, ...]


def split(node: Any) -> Split:
    """Take an expression (a protobuf Node) apart."""
    atoms: dict[str, Any] = {}

    def atom(leaf: Any) -> Tree:
        text = sql_of(leaf)
        atoms.setdefault(text, leaf)
        return list(atoms).index(text)

    tree = _tree(node, atom)
    return Split(tree, tuple(atoms), tuple(atoms.values()))


def together(nodes: Sequence[Any]) -> Any:
    """The conjunction of several expressions as one node."""
    if len(nodes) == 1:
        return nodes[0]
    whole = pb.Node()
    whole.bool_expr.boolop = pb.AND_EXPR
    for node in nodes:
        whole.bool_expr.args.add().CopyFrom(node)
    return whole


def sql_of(node: Any) -> str:
    """An expression as SQL."""
    tree = pb.ParseResult()
    tree.stmts.add().stmt.select_stmt.target_list.add().res_target.val.CopyFrom(node)
    return deparse(tree).removeprefix("SELECT").strip()


def constant_truth(node: Any) -> bool | None:
    """The value of a boolean constant."""
    if node.WhichOneof("node") == "a_const" and node.a_const.HasField("boolval"):
        return bool(node.a_const.boolval.boolval)
    return None


def is_condition(node: Any) -> bool:
    """Whether an expression is a condition by its form."""
    kind = node.WhichOneof("node")
    if kind in ("bool_expr", "null_test", "boolean_test"):
        return True
    if kind == "sub_link":
        return node.sub_link.sub_link_type in (pb.EXISTS_SUBLINK, pb.ANY_SUBLINK, pb.ALL_SUBLINK)
    if kind == "a_expr":
        return node.a_expr.kind != pb.AEXPR_NULLIF and node.a_expr.name[-1].string.sval in _COMPARING
    if kind == "coalesce_expr":
        return any(is_condition(part) or constant_truth(part) is not None for part in node.coalesce_expr.args)
    if kind == "case_expr":
        return _chooses_conditions(node.case_expr)
    return constant_truth(node) is not None


def _tree(node: Any, atom: Callable[[Any], Tree]) -> Tree:
    known = constant_truth(node)
    if known is not None:
        return Branch("true" if known else "false", ())
    if node.WhichOneof("node") == "a_const" and node.a_const.isnull:
        return Branch("null::boolean", ())
    match node.WhichOneof("node"):
        case "bool_expr":
            names = {pb.AND_EXPR: "and", pb.OR_EXPR: "or", pb.NOT_EXPR: "not"}
            parts = tuple(_tree(part, atom) for part in node.bool_expr.args)
            return Branch(names[node.bool_expr.boolop], parts)
        case "boolean_test":
            return Branch(_IS[node.boolean_test.booltesttype], (_tree(node.boolean_test.arg, atom),))
        case "coalesce_expr" if is_condition(node):
            return Branch("coalesce", tuple(_tree(part, atom) for part in node.coalesce_expr.args))
        case "case_expr" if _chooses_conditions(node.case_expr):
            chosen: list[Tree] = []
            for when in node.case_expr.args:
                chosen += [_tree(when.case_when.expr, atom), _tree(when.case_when.result, atom)]
            if node.case_expr.HasField("defresult"):
                chosen.append(_tree(node.case_expr.defresult, atom))
            return Branch("case", tuple(chosen))
        case _:
            return atom(node)


def _chooses_conditions(case: Any) -> bool:
    """Whether its results are boolean: all are, where one is."""
    results = [when.case_when.result for when in case.args]
    results += [case.defresult] if case.HasField("defresult") else []
    return not case.HasField("arg") and any(is_condition(result) for result in results)


def rendered(tree: Tree, names: Sequence[str]) -> str:
    """The structure as SQL, with these expressions for its atoms."""
    if isinstance(tree, int):
        return names[tree]
    if not tree.parts:
        return tree.operator
    parts = [rendered(part, names) for part in tree.parts]
    match tree.operator:
        case "and" | "or":
            return "(" + f" {tree.operator} ".join(parts) + ")"
        case "not":
            return f"(not {parts[0]})"
        case "coalesce":
            return f"coalesce({', '.join(parts)})"
        case "case":
            pairs = [f"when {parts[at]} then {parts[at + 1]}" for at in range(0, len(parts) - 1, 2)]
            last = f" else {parts[-1]}" if len(parts) % 2 else ""
            return f"(case {' '.join(pairs)}{last} end)"
        case test:
            return f"({parts[0]} {test})"


def deciding(tree: Tree, atom: int, names: Sequence[str]) -> str:
    """When turning this atom over turns the outcome over, as SQL. `names`: what stands for the atoms.

    Conjuncts without the atom stand alone, so that PostgreSQL can use them as join conditions.
    """
    conjuncts = tree.parts if isinstance(tree, Branch) and tree.operator == "and" else (tree,)
    others = [rendered(part, names) for part in conjuncts if atom not in atoms_of(part)]
    own = [part for part in conjuncts if atom in atoms_of(part)]
    if len(own) == 1 and own[0] == atom:
        return " and ".join(others) or "true"
    with_true, with_false = list(names), list(names)
    with_true[atom], with_false[atom] = "true", "false"
    both = [" and ".join(rendered(part, given) for part in own) for given in (with_true, with_false)]
    return " and ".join([*others, f"(({both[0]}) is true) <> (({both[1]}) is true)"])


def atoms_of(tree: Tree) -> frozenset[int]:
    """The atoms in a tree."""
    if isinstance(tree, int):
        return frozenset((tree,))
    return frozenset(atom for part in tree.parts for atom in atoms_of(part))
