"""The first layer that says no: by what a statement does according to the catalog, not by how it is spelled.

Behind it stand the extended protocol, DECLARE CURSOR (which takes nothing but a plain query), a READ ONLY
transaction and the login's own rights; none of them is relied upon alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from tools.database.bodies import read_code
from tools.database.catalog import Catalog, Function, Relation
from tools.database.reach import TYPE_AS_TEXT, Reach
from tools.database.reviewed import HARMLESS, HIDDEN_RELATIONS, HIDDEN_SCHEMAS, refused, secret_setting
from tools.errors import InvalidInput, Refused

_ADVICE: Final = {
    "ExplainStmt": "explain_query shows plans.",
    "CopyStmt": "A SELECT shows the rows; files and programs of the server are out of reach.",
    "TransactionStmt": "Every call is one transaction of its own.",
    "VariableSetStmt": "Settings do not outlive a call; as_role and claims are arguments.",
    "ListenStmt": "",
    "NotifyStmt": "",
}
_WORDS: Final = {
    "IndexStmt": "CREATE INDEX",
    "VariableSetStmt": "SET",
    "VariableShowStmt": "SHOW",
    "CreateStmt": "CREATE TABLE",
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTrigStmt": "CREATE TRIGGER",
    "RenameStmt": "ALTER ... RENAME",
    "ViewStmt": "CREATE VIEW",
    "RuleStmt": "CREATE RULE",
}
_DYNAMIC: Final = re.compile(r"(?i)\bexecute\s+(?!on\b|function\b|procedure\b)")


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason why a statement is not run: `what` it would do, and `why` that is refused.

    `allow`: what a person may write into `allow_functions` to let it pass; empty where nobody may.
    """

    what: str
    why: str
    allow: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.why}".rstrip()


def judge(
    reach: Reach, catalog: Catalog, *, planned: bool = False, allowed: Collection[str] = ()
) -> list[Objection]:
    """Every objection to running a statement as a reading query; empty means that it may run.

    `planned`: the statement is only planned. A planner runs no volatile function and changes nothing, but
    it does run the others, to fold constants. `allowed`: `schema.name` of what a person lets pass.
    """
    said = [] if planned else [Objection(shape, "") for shape in (*reach.forbidden, *catalog.shapes)]
    everything = [*catalog.relations.values(), *catalog.behind.values()]
    said += [found for relation in everything if (found := _relation(relation, catalog))]
    run = [
        function
        for function in catalog.functions.values()
        if not planned or function.volatility != "v" or function.oid in catalog.inner
    ]
    run += catalog.ambient.values()
    said += [found for function in run if (found := _function(function, catalog))]
    for setting in reach.settings | catalog.settings:
        if setting is None:
            said.append(Objection("current_setting()", "is called with a name that is not a constant"))
        elif secret_setting(setting):
            said.append(Objection(f"current_setting('{setting}')", "may hold a secret"))
    if catalog.secrets:
        names = ", ".join(catalog.secrets[:3])
        said.append(Objection("pg_settings", f"holds secrets here ({names}); SHOW gives one setting"))
    return [one for one in dict.fromkeys(said) if not one.allow or one.allow not in allowed]


def require_query(reach: Reach) -> None:
    """Raise unless the statement is of a reading kind."""
    if reach.kind in {"SelectStmt", "VariableShowStmt"}:
        return
    kind = statement_words(reach.kind)
    if reach.kind == "ExplainStmt":
        raise InvalidInput("execute_sql does not run EXPLAIN.", hint=_ADVICE["ExplainStmt"])
    raise Refused(
        f"execute_sql only reads, and this is {kind}.",
        hint=_ADVICE.get(
            reach.kind, "change_sql is the tool that changes something; it asks a person first."
        ),
    )


def require_reading(
    reach: Reach, catalog: Catalog, *, planned: bool = False, allowed: Collection[str] = ()
) -> None:
    """Raise Refused with the reasons when the guard objects."""
    objections = judge(reach, catalog, planned=planned, allowed=allowed)
    if not objections:
        return
    shown = "; ".join(str(objection) for objection in objections[:3])
    more = f" (and {len(objections) - 3} more reasons)" if len(objections) > 3 else ""
    raise Refused(f"The statement is not run: {shown}{more}.", hint=_way_out(objections))


def _way_out(objections: list[Objection]) -> str:
    """How a person can let it pass, when that is possible at all."""
    names = list(dict.fromkeys(objection.allow for objection in objections))
    if not all(names):
        return ""
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f"A person who has read it can allow it: allow_functions = [{listed}] under [target] in sergei.toml."
    )


def builds_sql(function: Function) -> bool:
    """Whether a PL/pgSQL body has EXECUTE: what it runs cannot be told before."""
    return function.language == "plpgsql" and _DYNAMIC.search(function.body or "") is not None


def statement_words(kind: str) -> str:
    """CreatePolicyStmt is CREATE POLICY."""
    if kind in _WORDS:
        return _WORDS[kind]
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.removesuffix("Stmt")).upper()


def _relation(relation: Relation, catalog: Catalog) -> Objection | None:
    why = HIDDEN_SCHEMAS.get(relation.schema)
    if why is None and relation.system:
        why = HIDDEN_RELATIONS.get(relation.name)
    if why:
        return Objection(str(relation), why)
    if relation.kind == "f":
        why = "is a foreign table: reading it acts on another server, a file or a program"
        return Objection(str(relation), why, allow=str(relation))
    if relation.locks > catalog.room:
        why = (
            f"would take up to {relation.locks:,} locks, too many for the server; name one of its partitions"
        )
        return Objection(str(relation), why)
    return None


def _function(function: Function, catalog: Catalog) -> Objection | None:
    """Builtin and extension functions by the reviewed lists and their label; a user's own by its body."""
    what, allow = f"{function}()", f"{function.schema}.{function.name}"
    library = function.builtin or function.extension
    hard = refused(function.name) if library else None
    if hard:
        return Objection(what, hard)
    behind = function.oid in catalog.inner or function.oid in catalog.ambient
    if function.builtin and function.name in TYPE_AS_TEXT and behind:
        return Objection(what, "takes the name of a type as text")
    if library:
        if function.volatility == "v" and function.name not in HARMLESS:
            return Objection(what, "is VOLATILE and not known to be harmless", allow)
        return None
    if function.aggregate or function.language not in {"sql", "plpgsql"}:
        return _unreadable(function, what, allow)
    code = read_code(function.body or "")
    if code.forbidden:
        return Objection(what, f"does more than read: {', '.join(code.forbidden[:3])}", allow)
    if "opaque" in code.shapes:
        return Objection(what, "builds SQL at run time (EXECUTE), so that it cannot be judged", allow)
    return None


def _unreadable(function: Function, what: str, allow: str) -> Objection | None:
    """A function without a body to read. An aggregate is its parts, which are judged themselves."""
    if function.aggregate:
        return None
    return Objection(what, f"is written in {function.language}: what it does cannot be told", allow)
