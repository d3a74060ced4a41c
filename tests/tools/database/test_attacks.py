"""Every attack, as a superuser and as a login that may only read: refused, and nothing happened outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tools.database.fort import SECRETS, Fort, besieged
from tests.tools.database.hostile import CASES
from tools.sandbox.cluster import Cluster


@pytest.fixture(scope="module", params=["superuser", "reader"])
def fort(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fort]:
    """The fort as one login attacks it."""
    with besieged(cluster, tmp_path_factory.mktemp("fort"), superuser=request.param == "superuser") as fort:
        yield fort


@pytest.mark.parametrize(("kind", "statement"), CASES)
def test_an_attack_is_refused_and_changes_nothing(fort: Fort, kind: str, statement: str) -> None:
    outcome = fort.ask(statement)
    said = outcome.markdown()
    assert outcome.failure is not None, said
    assert outcome.failure.kind in {"refused", "invalid_input", "not_found"}, said
    assert not [secret for secret in SECRETS if secret in said]
    assert fort.settled() == fort.before
