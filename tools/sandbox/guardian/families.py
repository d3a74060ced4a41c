"""Families without a name in any test: they fill the tables in realistic proportions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

from tools.sandbox.guardian.accounts import add_account, add_household
from tools.sandbox.guardian.cast import Cast
from tools.sandbox.guardian.providers import add_access
from tools.sandbox.guardian.records import add_carer, add_grant, add_profile
from tools.sandbox.guardian.rows import Account, Census, Profile, State
from tools.sandbox.guardian.words import PET_NAMES, SPECIES

STATES: Final[tuple[State, ...]] = get_args(State)


def add_families(census: Census, cast: Cast, count: int) -> None:
    """`count` families, the shapes in turn, each state of a grant again and again."""
    for number in range(count):
        profiles = SHAPES[number % len(SHAPES)](census)
        if number % 3 == 0:
            provider = census.rng.choice(cast.providers)
            add_access(census, profiles[0], provider, "active" if number % 2 else "expired")


def _single(census: Census) -> list[Profile]:
    person = add_account(census)
    species = census.rng.choice(SPECIES)
    pet = add_profile(census, person, "pet", given=census.rng.choice(PET_NAMES), species=species)
    return [add_profile(census, person, "self"), pet]


def _couple(census: Census) -> list[Profile]:
    one, other = _pair(census)
    household = add_household(census, one, other)
    children = [add_profile(census, one, "child", household=household, age=age) for age in (4, 11)]
    for child in children:
        add_grant(census, child, other, "manage", "active")
    mine = add_profile(census, one, "self", household=household)
    add_grant(census, mine, other, "read", census.rng.choice(STATES))
    return [mine, add_profile(census, other, "self", household=household), *children]


def _separated(census: Census) -> list[Profile]:
    """The parent the child does not live with reads, sometimes no longer."""
    home, away = add_account(census), add_account(census)
    add_household(census, home)
    child = add_profile(census, home, "child", age=7)
    add_grant(census, child, away, "read", census.rng.choice(STATES))
    return [child, add_profile(census, home, "self"), add_profile(census, away, "self")]


def _grandparent(census: Census) -> list[Profile]:
    parent = add_account(census)
    grandparent = add_account(census, parent.family)
    household = add_household(census, parent, grandparent)
    child = add_profile(census, parent, "child", household=household, age=2)
    add_grant(census, child, grandparent, "write", "active")
    return [
        add_profile(census, parent, "self", household=household),
        child,
        add_profile(census, grandparent, "self", age=68),
    ]


def _cared_for(census: Census) -> list[Profile]:
    daughter = add_account(census)
    carer = add_account(census)
    old = add_profile(census, daughter, "dependant", age=88)
    state = census.rng.choice(STATES)
    add_carer(census, old, add_grant(census, old, carer, "write", state), ended=state != "active")
    return [old, add_profile(census, daughter, "self", age=57)]


def _pair(census: Census) -> tuple[Account, Account]:
    one = add_account(census)
    return one, add_account(census, one.family)


SHAPES: Final[tuple[Callable[[Census], list[Profile]], ...]] = (
    _single,
    _couple,
    _separated,
    _grandparent,
    _cared_for,
)
