"""The operators: each turns a clean schema into schemas with one fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.rls.catalog import Catalog
from benchmarks.rls.mutant import Mutant
from benchmarks.rls.operators import around, helpers, policies
from benchmarks.rls.operators.planted import planted

Make = Callable[[Catalog], Iterator[Mutant]]
PLANTED: Final = (
    "metadata_trusted",
    "stale_claim",
    "helper_metadata",
    "helper_user_rows",
    "rpc_unchecked",
    "rpc_caller_chooses",
    "storage_path",
    "realtime",
    "publication",
    "sign_up",
    "self_verify",
    "function_granted",
)


@dataclass(frozen=True, slots=True)
class Operator:
    """A name, the class of fault it belongs to, and what makes its mutants."""

    name: str
    family: str
    make: Make


OPERATORS: Final[tuple[Operator, ...]] = (
    *(
        Operator(make.__name__, "policy", make)
        for make in (
            policies.conjunct_dropped,
            policies.and_to_or,
            policies.or_precedence,
            policies.negated_list,
            policies.null_passes,
            policies.weaker_helper,
            policies.level_argument,
            policies.word_added,
            policies.signed_in_is_enough,
            policies.author_is_enough,
            policies.wrong_column,
            policies.check_true,
            policies.check_weaker_than_using,
            policies.using_true,
            policies.role_anon,
            policies.extra_permissive,
            policies.for_all,
            policies.uncorrelated_exists,
            policies.lifecycle_inlined,
            policies.restrictive_lost,
        )
    ),
    *(
        Operator(make.__name__, "helper", make)
        for make in (
            helpers.helper_condition_dropped,
            helpers.helper_and_to_or,
            helpers.helper_precedence,
            helpers.helper_word_added,
            helpers.helper_null_passes,
            helpers.helper_weaker,
            helpers.helper_always_true,
            helpers.helper_wrong_column,
            helpers.helper_shadowed,
            helpers.procedure_line_dropped,
            helpers.procedure_check_dropped,
            helpers.procedure_step_dropped,
        )
    ),
    *(
        Operator("self_grant" if make is around.owner_granted_self else make.__name__, "around", make)
        for make in (
            around.rls_off,
            around.table_added,
            around.view_as_owner,
            around.view_added,
            around.matview_added,
            around.partition_open,
            around.grant_widened,
            around.grant_and_policy,
            around.trigger_dropped,
            around.trigger_disabled,
            around.parents_of_two_records,
            around.owner_granted_self,
            around.self_join,
            around.un_revoke,
        )
    ),
    *(Operator(name, "planted", partial(planted, name)) for name in PLANTED),
)
