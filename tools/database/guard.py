"""The first layer that says no: by what a statement does according to the catalog, not by how it is spelled.

Behind it stand the extended protocol, DECLARE CURSOR (which takes nothing but a plain query), a READ ONLY
transaction and the login's own rights; none of them is relied upon alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tools.database.catalog import Catalog, Function, Relation
from tools.database.reach import Reach
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
    """One reason why a statement is not run: `what` it would do, and `why` that is refused."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} {self.why}".rstrip()


def judge(reach: Reach, catalog: Catalog, *, planned: bool = False) -> list[Objection]:
    """Every objection to running a statement as a reading query; empty means that it may run.

    `planned`: the statement is only planned. A planner runs no volatile function and changes nothing, but
    it does run the others, to fold constants.
    """
    said = [] if planned else [Objection(shape, "") for shape in reach.forbidden]
    said += [found for relation in catalog.relations.values() if (found := _relation(relation))]
    run = list(catalog.functions.values())
    if planned:
        run = [function for function in run if function.volatility != "v" or function.oid in catalog.inner]
    said += [found for function in run if (found := _function(function))]
    for setting in reach.settings | catalog.settings:
        if setting is None:
            said.append(Objection("current_setting()", "is called with a name that is not a constant"))
        elif secret_setting(setting):
            said.append(Objection(f"current_setting('{setting}')", "may hold a secret"))
    return list(dict.fromkeys(said))


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


def require_reading(reach: Reach, catalog: Catalog, *, planned: bool = False) -> None:
    """Raise Refused with the reasons when the guard objects."""
    objections = judge(reach, catalog, planned=planned)
    if objections:
        shown = "; ".join(str(objection) for objection in objections[:3])
        more = f" (and {len(objections) - 3} more reasons)" if len(objections) > 3 else ""
        raise Refused(f"The statement is not run: {shown}{more}.")


def builds_sql(function: Function) -> bool:
    """Whether a PL/pgSQL body has EXECUTE: what it runs cannot be told before."""
    return function.language == "plpgsql" and _DYNAMIC.search(function.body or "") is not None


def statement_words(kind: str) -> str:
    """CreatePolicyStmt is CREATE POLICY."""
    if kind in _WORDS:
        return _WORDS[kind]
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.removesuffix("Stmt")).upper()


def _relation(relation: Relation) -> Objection | None:
    why = HIDDEN_SCHEMAS.get(relation.schema)
    if why is None and relation.system:
        why = HIDDEN_RELATIONS.get(relation.name)
    return Objection(str(relation), why) if why else None


def _function(function: Function) -> Objection | None:
    """Builtin and extension functions by the reviewed lists; a user's own by its volatility and body."""
    library = function.builtin or function.extension or function.language in {"c", "internal"}
    why = refused(function.name) if library else None
    if why:
        return Objection(f"{function}()", why)
    if function.volatility == "v" and not (library and function.name in HARMLESS):
        return Objection(f"{function}()", "is VOLATILE: it may change something, or see other rows each time")
    if builds_sql(function):
        return Objection(f"{function}()", "builds SQL at run time (EXECUTE), so that it cannot be judged")
    return None
