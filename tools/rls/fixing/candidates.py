"""Changes that may mend a problem, the smallest first. Each is only a guess until it was tried."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tools.rls.design.existing import Right, trusted_tables
from tools.rls.design.helpers import Library
from tools.rls.design.migration import write
from tools.rls.design.tables import plan
from tools.rls.facts import expression
from tools.rls.fixing.conditions import living_view, mended_function, mended_view
from tools.rls.fixing.guarding import kept_as_they_are
from tools.rls.fixing.problems import Problem, function_named, policy_named
from tools.rls.fixing.staff import asking_staff
from tools.rls.objects import Function, Policy, Relation
from tools.rls.proof.model import Kind, Model
from tools.rls.reach import Reach, reach
from tools.rls.snapshot import PLATFORM_SCHEMAS, Snapshot
from tools.rls.wording import altered, function_name, quoted, table_name

COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Candidate:
    """`sql` mends `object`, perhaps; `how` says what it does in a few words."""

    object: str
    how: str
    sql: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What candidates are made from: the schema as it is and the model of who may see what."""

    snapshot: Snapshot
    model: Model
    role: str

    @property
    def reached(self) -> Reach:
        """What policies and functions reach."""
        return reach(self.snapshot)


def candidates(ground: Ground, problem: Problem) -> list[Candidate]:
    """Every change worth trying for one problem, each once, in the order in which to try them."""
    found: dict[str, Candidate] = {}
    for how, sql in _all(ground, problem):
        text = sql.strip()
        if text and is_runnable(text):
            found.setdefault(" ".join(text.split()).lower(), Candidate(problem.object, how, text))
    return list(found.values())


def is_runnable(fix: str) -> bool:
    """Whether a fix is complete SQL: no placeholder, and something other than comments."""
    code = "\n".join(line for line in fix.splitlines() if not line.lstrip().startswith("--"))
    return bool(code.strip()) and not re.search(r"<[a-z][^>\n]*>|\.\.\.", code)


def _all(ground: Ground, problem: Problem) -> Iterator[tuple[str, str]]:
    for finding in problem.findings:
        yield f"as {finding.rule} proposes", finding.fix.replace(" concurrently", "")
    policy = policy_named(ground.snapshot, problem.object)
    if policy is not None:
        yield from _for_policy(ground, problem, *policy)
    function = function_named(ground.snapshot, problem.object)
    if function is not None:
        yield from _for_function(ground, problem, function)
    relation = ground.snapshot.relations.get(problem.object)
    if relation is not None:
        yield from _for_relation(ground, relation)


# -- policies -----------------------------------------------------------------------------


def _for_policy(
    ground: Ground, problem: Problem, relation: Relation, policy: Policy
) -> Iterator[tuple[str, str]]:
    deciding = relation.title in trusted_tables(ground.model)
    if deciding:
        yield "the condition that the model asks for", _designed(ground, relation, policy)
    for using, check, count in siblings(ground, relation, policy) if not deciding else ():
        yield f"as {count} sibling policies have it", _altered(policy, relation, using, check)
    if deciding and policy.covers("UPDATE"):
        yield "columns that decide about access stay as they are", kept_as_they_are(ground, relation)
    yield from _for_helpers(ground, policy)
    yield "the condition that the model asks for", _designed(ground, relation, policy)
    if policy.command in ("UPDATE", "ALL") and policy.using_text and policy.check_text:
        yield "new rows pass the same test as old ones", _altered(policy, relation, None, policy.using_text)
    for other in relation.policies:
        if other is not policy and other.permissive and other.using_text and policy.using_text:
            yield (
                f"the condition of {other.name}",
                _altered(policy, relation, other.using_text, other.using_text),
            )
    privileges = [policy.command.lower()] if policy.command != "ALL" else []
    if deciding and privileges:
        roles = ", ".join(quoted(name) for name in ground.snapshot.addressed(policy))
        if roles:
            yield (
                "only the service may do it",
                f"revoke {privileges[0]} on {table_name(relation)} from {roles};",
            )
    yield "without this policy", f"drop policy {quoted(policy.name)} on {table_name(relation)};"


def _for_helpers(ground: Ground, policy: Policy) -> Iterator[tuple[str, str]]:
    """The helpers that the policy asks: the conditions that they lack, and the levels for this command."""
    rights: dict[str, Right] = {"INSERT": "write", "UPDATE": "write", "ALL": "write", "DELETE": "manage"}
    right = rights.get(policy.command)
    for function in {f.oid: f for part in policy.parts() for f in ground.reached.reached(part)}.values():
        if function.schema in PLATFORM_SCHEMAS:
            continue
        for one in dict.fromkeys((None, right)):
            new = mended_function(ground.reached, ground.model, function, one)
            if new is not None:
                levels = f", and levels that {one}" if one else ""
                yield f"living rows only{levels}, in {function.schema}.{function.name}()", new


def siblings(ground: Ground, relation: Relation, policy: Policy) -> list[tuple[str | None, str | None, int]]:
    """What policies for this command say on tables that belong to the same anchor, most frequent first."""
    own = ground.model.tables.get(relation.title)
    ways = {p[0].target: p[0].columns[-1] for p in own.paths if len(p) == 1} if own is not None else {}
    seen: Counter[tuple[str, str]] = Counter()
    for title, belonging in ground.model.tables.items():
        other = ground.snapshot.relations.get(title)
        if other is None or title == relation.title or title in trusted_tables(ground.model):
            continue
        for path in belonging.paths:
            if len(path) != 1 or path[0].target not in ways:
                continue
            for one in other.policies:
                if one.command != policy.command or not one.permissive:
                    continue
                here = ways[path[0].target]
                texts = (
                    _moved(one.using_text, path[0].columns[-1], here),
                    _moved(one.check_text, path[0].columns[-1], here),
                )
                if all(_fits(text, relation) for text in texts):
                    seen[texts] += 1
    common = [(using, check, count) for (using, check), count in seen.most_common(3) if count > 1]
    return [(using or None, check or None, count) for using, check, count in common]


def _moved(text: str | None, there: str, here: str) -> str:
    """The expression with one table's scope column named as the other table names it."""
    return re.sub(rf"(?<![\w.\"]){re.escape(quoted(there))}(?![\w\"])", quoted(here), text or "")


def _fits(text: str, relation: Relation) -> bool:
    """Whether the expression speaks of columns that the relation has, and of no other table's row."""
    facts = expression(text) if text else None
    if facts is None:
        return not text
    return all(
        column.name in relation.columns
        for column in facts.columns
        if column.block is facts.top and not column.qualifier
    ) and not any(column.qualifier for column in facts.columns if column.block is facts.top)


def _altered(policy: Policy, relation: Relation, using: str | None, check: str | None) -> str:
    clauses: list[str] = []
    if policy.command != "INSERT" and using is not None:
        clauses.append(f"using ({using})")
    if policy.command in ("INSERT", "UPDATE", "ALL"):
        new = check or using
        if new is not None and (policy.check_text or policy.command == "INSERT"):
            clauses.append(f"with check ({new})")
    return altered(policy, relation, "\n  ".join(clauses)) if clauses else ""


def _designed(ground: Ground, relation: Relation, policy: Policy) -> str:
    """The policy as a design for this table would write it, with helpers that are missing."""
    belonging = ground.model.tables.get(relation.title)
    if belonging is None or belonging.kind in (Kind.UNCLASSIFIED, Kind.SERVICE):
        return ""
    library = Library(ground.snapshot, ground.model, ground.role)
    access = plan(library, belonging)
    command = policy.command if policy.command != "ALL" else "UPDATE"
    using, check = access.using.get(command), access.check.get(command)
    if using is None and check is None:
        return ""
    change = _altered(policy, relation, using, check)
    return "\n".join([*library.schema_statements(), *library.made, change]) if change else ""


# -- functions and relations ----------------------------------------------------------------


def _for_function(ground: Ground, problem: Problem, function: Function) -> Iterator[tuple[str, str]]:
    staff = asking_staff(ground.snapshot, ground.reached, ground.model, function)
    yield "a claim that its owner cannot edit, and the table of staff says so too", staff or ""
    for view, sql in living_view(ground.reached, ground.model, function):
        yield f"by {view}, as its siblings read it", sql
    for right in (None, "write", "manage"):
        new = mended_function(ground.reached, ground.model, function, right)
        if new is not None:
            how = "living rows only" if right is None else f"living rows only, and levels that {right}"
            yield how, new
    executors = ground.snapshot.executors(function)
    if function.definer and executors:
        name = function_name(function)
        closed = f"revoke execute on function {name} from public, {', '.join(map(quoted, executors))};"
        without = [role for role in executors if role == "anon"]
        anon = f"\nrevoke execute on function {name} from public, anon;" if without else ""
        keep = (
            f"\ngrant execute on function {name} to authenticated;" if without and len(executors) > 1 else ""
        )
        yield (
            "it runs as its caller, under his policies",
            f"alter function {name} security invoker;{anon}{keep}",
        )
        if not any(f.oid == function.oid for f, _ in ground.reached.policy_functions.values()):
            yield "only the service may call it", closed


def _for_relation(ground: Ground, relation: Relation) -> Iterator[tuple[str, str]]:
    name = table_name(relation)
    callers = ", ".join(quoted(role) for role in ground.snapshot.exposure(relation))
    if relation.kind == "v":
        yield "the caller's rights decide", f"alter view {name} set (security_invoker = true);"
        narrowed = mended_view(ground.reached, ground.model, relation)
        if narrowed is not None:
            yield "living rows only", narrowed
    if relation.is_table and relation.schema not in PLATFORM_SCHEMAS:
        belonging = ground.model.tables.get(relation.title)
        if not relation.rls and relation.policies:
            yield "its policies count again", f"alter table {name} enable row level security;"
        if belonging is not None and belonging.kind not in (Kind.UNCLASSIFIED,):
            library = Library(ground.snapshot, ground.model, ground.role)
            script = write(library, [plan(library, belonging)]).script
            yield "policies that the model asks for", _inner(script)
        if not relation.rls:
            yield "closed to the API", f"alter table {name} enable row level security;"
    if callers:
        yield "closed to the API", f"revoke all on {name} from {callers};"


def _inner(script: str) -> str:
    """A migration without its own transaction."""
    return "\n".join(line for line in script.splitlines() if line not in ("begin;", "commit;"))
