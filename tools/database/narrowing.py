"""Does a statement select by what is hidden? Columns are told apart by name, from the parse tree alone.

A hidden value can be guessed without being shown: by asking whether it begins with an M, by joining it with
a table of numbers that is shown, by letting it decide how many rows come. The first is counted (a person who
looks somebody up does it too), the second hides what it was compared with, the third is refused.

    content   hidden columns that say something: names, dates, notes; and whatever is computed from them
    pin       keys and references: they pick one person out and say nothing
    foreign   everything else that a value could be held against: reference tables, made rows
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node, walk

from tools.database.phi import attribute_verdict
from tools.database.provenance import Origin, settle
from tools.database.reach import name_of, strings

if TYPE_CHECKING:
    from tools.database.catalog import Catalog
    from tools.database.linkage import Attribute, Linkage

_ROUNDS: Final = 6
_MADE_ROWS: Final = frozenset({"generate_series", "generate_subscripts", "repeat"})


@dataclass(frozen=True, slots=True)
class Narrowing:
    """How a statement selects by hidden values.

    `table`: the person's table that stands for the statement; `question`: a digest of its conditions, empty
    when it asks none; `firm`: it counts whatever comes back; `selective`: it leaves persons out by a key or
    a hidden value; `spelled`: hidden values are held against shown
    ones; `multiplied`: a hidden value decides how many rows come; `ordered`: one decides their order;
    `sorted_by`: numbers of result columns (from 1) that rows are sorted by.
    """

    table: str = ""
    question: str = ""
    firm: bool = False
    selective: bool = False
    spelled: bool = False
    multiplied: bool = False
    ordered: bool = False
    sorted_by: tuple[int, ...] = ()


@dataclass(slots=True)
class _Names:
    """Names of this statement. `away`: qualifiers that stand for reference data or made rows."""

    content: set[str] = field(default_factory=set[str])
    texts: set[str] = field(default_factory=set[str])
    pins: set[str] = field(default_factory=set[str])
    linked: set[str] = field(default_factory=set[str])
    away: set[str] = field(default_factory=set[str])
    outside: set[str] = field(default_factory=set[str])
    functions: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Seen:
    """What one condition holds."""

    content: bool = False
    text: bool = False
    pin: bool = False
    foreign: bool = False
    constant: bool = False
    words: list[str] = field(default_factory=list[str])


def narrowing(
    node: Message, catalog: Catalog, linkage: Linkage, views: Mapping[int, list[Origin]]
) -> Narrowing:
    """How the statement selects by hidden values of persons. `views`: where their columns come from. Pure."""
    linked = sorted(
        str(table)
        for oid, table in linkage.tables.items()
        if linkage.reason(oid) and oid in catalog.relations and table.kind != "v"
    )
    own = frozenset(f.name for f in catalog.functions.values() if not f.builtin and not f.extension)
    if not linked:
        return Narrowing()
    names = _names(node, linkage, views, own)
    atoms = [_look(atom, names) for clause in _clauses(node) for atom in _atoms(clause)]
    asked = [seen for seen in atoms if seen.content and seen.constant]
    pinned = any(seen.pin and seen.constant and not seen.content for seen in atoms)
    sorts = [_look(sort, names) for _, part in walk(node) for sort in _sorts(part)]
    ordered = any(seen.content for seen in sorts)
    picked = (
        [_look(bound, names) for bound in _bounds(node)] if ordered else []
    )  # the first by a hidden value
    said = [seen for seen in (*atoms, *picked) if seen.constant] + (sorts if picked else [])
    words = "\n".join(sorted({" ".join(seen.words) for seen in said}))
    firm = any(seen.text for seen in asked) or (pinned and bool(asked)) or _few_rows(node, asked)
    return Narrowing(
        table=linked[0],
        question=sha256(words.encode()).hexdigest() if asked or picked else "",
        firm=firm or bool(picked),
        ordered=ordered,
        sorted_by=_positions(node),
        selective=bool(asked) or pinned,
        spelled=any(seen.content and (seen.foreign or seen.pin) for seen in atoms) or _merged(node, names),
        multiplied=_multiplied(node, names),
    )


def _names(
    node: Message, linkage: Linkage, views: Mapping[int, list[Origin]], functions: frozenset[str]
) -> _Names:
    names = _Names(functions=functions)
    away: set[str] = set()
    for oid, table in linkage.tables.items():
        if table.kind != "v" and not linkage.reason(oid):
            away.add(table.name)
            names.outside.update(column.name for column in table.columns.values())
            continue
        names.content.add(table.name)  # a whole row
        for column in table.columns.values():
            names.linked.add(column.name)
            source = _behind(column, linkage, views)
            if source is not None and attribute_verdict(source, linkage).shown:
                continue
            pin = source is not None and (source.key or source.refers_to is not None or source.type == "uuid")
            (names.pins if pin else names.content).add(column.name)
            if not pin and column.category not in "DN":
                names.texts.add(column.name)
    _aliases(node, names, {table.name for table in linkage.tables.values()} - away, away)
    for _ in range(_ROUNDS):
        before = len(names.content)
        _renamed(node, names)
        if len(names.content) == before:
            break
    return names


def _behind(column: Attribute, linkage: Linkage, views: Mapping[int, list[Origin]]) -> Attribute | None:
    """The table's column behind a column, through views; None where it is computed on the way."""
    if column.relation not in views and linkage.tables[column.relation].kind != "v":
        return column
    relation, number = settle((column.relation, column.number), views)
    table = linkage.tables.get(relation)
    return table.columns.get(number) if table is not None and table.kind != "v" else None


def _aliases(node: Message, names: _Names, people: set[str], away: set[str]) -> None:
    for _, part in walk(node):
        if isinstance(part, pb.RangeVar):
            called = part.alias.aliasname or part.relname
            if part.relname in people:
                names.content.add(called)
            elif part.relname in away:
                names.away.add(called)
        elif isinstance(part, pb.RangeFunction):
            names.away.add(part.alias.aliasname)
    names.away -= names.content


def _renamed(node: Message, names: _Names) -> None:
    """`select full_name as x`: x is hidden, too; and so are columns that are named by their position."""
    for _, part in walk(node):
        if isinstance(part, pb.ResTarget) and part.name and part.HasField("val"):
            seen = _look(part.val, names)
            if seen.content:
                names.content.add(part.name)
                names.texts.update({part.name} if seen.text else ())
        elif isinstance(part, pb.RangeSubselect | pb.CommonTableExpr):
            inner = part.subquery if isinstance(part, pb.RangeSubselect) else part.ctequery
            listed = part.alias.colnames if isinstance(part, pb.RangeSubselect) else part.aliascolnames
            if listed and _look(inner, names).content:
                names.content.update(strings(listed))
                names.texts.update(strings(listed))


def _clauses(node: Message) -> Iterator[Message]:
    """Every place where a value decides which rows come, in which order, or what is counted."""
    for _, part in walk(node):
        if isinstance(part, pb.SelectStmt):
            yield from (part.where_clause, part.having_clause, *part.sort_clause, *part.distinct_clause)
        elif isinstance(part, pb.UpdateStmt | pb.DeleteStmt):
            yield part.where_clause
        elif isinstance(part, pb.JoinExpr):
            yield part.quals
        elif isinstance(part, pb.FuncCall) and name_of(strings(part.funcname)).name == "count":
            yield from (part.agg_filter, *part.args)


def _atoms(clause: Message) -> Iterator[Message]:
    """The parts of a condition that AND, OR and NOT combine."""
    part = unwrap_node(clause) if isinstance(clause, pb.Node) else clause
    if isinstance(part, pb.BoolExpr):
        for inner in part.args:
            yield from _atoms(inner)
    else:
        yield part


def _look(node: Message, names: _Names) -> _Seen:
    seen = _Seen()
    if isinstance(node, pb.Node) and node.WhichOneof("node") is None:
        return seen
    for part in _parts(node):
        if isinstance(part, pb.ColumnRef):
            _column(strings(part.fields), names, seen)
        elif isinstance(part, pb.A_Const):
            seen.constant = True
            seen.words.append(
                repr(part.sval.sval or part.ival.ival or part.fval.fval or part.boolval.boolval)
            )
        elif isinstance(part, pb.FuncCall):
            name = name_of(strings(part.funcname)).name
            seen.words.append(name)
            seen.content |= name in names.functions
        elif isinstance(part, pb.A_Expr):
            seen.words.append(f"{part.kind}{strings(part.name)}")
        elif isinstance(part, pb.NullTest | pb.BooleanTest):
            seen.words.append(f"{part.DESCRIPTOR.name}")
    return seen


def _parts(node: Message) -> Iterator[Message]:
    """Every node of an expression; of a query inside it only what it returns, its clauses stand alone."""
    part = unwrap_node(node) if isinstance(node, pb.Node) else node
    yield part
    if isinstance(part, pb.SelectStmt):
        inner: list[Message] = [*part.target_list, *part.values_lists]
        inner += [part.larg, part.rarg] if part.op != pb.SETOP_NONE else []
    else:
        values = [value for _, value in part.ListFields()]
        several = [cast("Iterable[object]", value) for value in values if isinstance(value, Iterable)]
        inner = [child for child in values if isinstance(child, Message)]
        inner += [child for group in several for child in group if isinstance(child, Message)]
    for child in inner:
        yield from _parts(child)


def _column(fields: list[str], names: _Names, seen: _Seen) -> None:
    if not fields:
        seen.content |= bool(names.content)  # a star
        return
    qualifier, name = (fields[-2] if len(fields) > 1 else ""), fields[-1]
    seen.words.append(".".join(fields))
    if qualifier in names.away and qualifier:
        seen.foreign = True
    elif name in names.content:
        seen.content = True
        seen.text |= name in names.texts
    elif name in names.pins:
        seen.pin = True
    elif name not in names.linked:
        seen.foreign = True


def _sorts(part: Message) -> Sequence[Message]:
    return part.sort_clause if isinstance(part, pb.SelectStmt) else ()


def _bounds(node: Message) -> list[Message]:
    """LIMIT and OFFSET, which pick rows by their rank."""
    if not isinstance(node, pb.SelectStmt):
        return []
    return [getattr(node, name) for name in ("limit_count", "limit_offset") if node.HasField(name)]


def _positions(node: Message) -> tuple[int, ...]:
    """Result columns that ORDER BY names by their number."""
    if not isinstance(node, pb.SelectStmt):
        return ()
    sorts = [item for sort in node.sort_clause if isinstance(item := unwrap_node(sort), pb.SortBy)]
    keys = [unwrap_node(sort.node) for sort in sorts]
    return tuple(key.ival.ival for key in keys if isinstance(key, pb.A_Const))


def _merged(node: Message, names: _Names) -> bool:
    """Whether USING or NATURAL holds a hidden column against one of reference data by their common name."""
    for _, part in walk(node):
        if isinstance(part, pb.JoinExpr):
            common = names.outside if part.is_natural else set(strings(part.using_clause)) & names.outside
            if common & names.content:
                return True
    return False


def _few_rows(node: Message, asked: list[_Seen]) -> bool:
    """Whether a LIMIT picks one person out of those that a condition on hidden values left."""
    if not asked or not isinstance(node, pb.SelectStmt):
        return False
    limit = unwrap_node(node.limit_count) if node.HasField("limit_count") else None
    return isinstance(limit, pb.A_Const) and limit.ival.ival == 1


def _multiplied(node: Message, names: _Names) -> bool:
    for _, part in walk(node):
        if isinstance(part, pb.SelectStmt):
            bounds = (part.limit_count, part.limit_offset)
            if any(_look(bound, names).content for bound in bounds):
                return True
        elif isinstance(part, pb.FuncCall):
            made = name_of(strings(part.funcname)).name in _MADE_ROWS
            if made and any(_look(argument, names).content for argument in part.args):
                return True
    return False
