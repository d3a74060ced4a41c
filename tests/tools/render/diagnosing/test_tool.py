"""diagnose_service through the gate: what a person reads, what stays hidden, what could not be read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.simulated import simulated_gate
from tools.sandbox.platform import Active, Effect, Line, Platform, guardian

WEB = "guardian-web"
NAME = "Marisol Okonjo"


def ask(platform: Platform, folder: Path, **arguments: object) -> str:
    """The answer as a model reads it."""
    gate = simulated_gate(platform, folder / "audit.jsonl")
    outcome = asyncio.run(gate.call("diagnose_service", {"hours": 1, **arguments}))
    assert outcome.result is not None, outcome.failure
    return outcome.result.markdown()


def refused_by_the_cache(platform: Platform) -> None:
    """Errors of a Redis client on each request that names a patient."""
    line = Line(f"error for patient {NAME}: connect ECONNREFUSED 10.1.1.1:6379", 9)
    start = platform.clock.now() - timedelta(minutes=25)
    spec = platform.world.named(WEB).spec
    platform.world.effects.append(Active(spec.id, Effect(error_rate=0.2, lines=(line,)), start))


def test_the_answer_names_cause_evidence_and_next_step_and_no_patient(tmp_path: Path) -> None:
    platform = guardian()
    refused_by_the_cache(platform)
    text = ask(platform, tmp_path, service=WEB)
    assert "key_value_down" in text
    assert "ECONNREFUSED" in text
    assert "next:" in text
    assert "Okonjo" not in text
    assert len(text.splitlines()) < 50


def test_what_cannot_be_read_is_said_and_costs_nothing_else(tmp_path: Path) -> None:
    platform = guardian()
    refused_by_the_cache(platform)
    platform.faults.add("status", "GET", "/metrics/cpu$", times=20, status=500)
    text = ask(platform, tmp_path, service=WEB)
    assert "key_value_down" in text
    assert "Not examined" in text
    assert "metric cpu" in text


def test_without_the_log_nothing_is_called_well(tmp_path: Path) -> None:
    well = ask(guardian(), tmp_path, service="guardian-document-worker")
    assert "nothing is wrong" in well
    platform = guardian()
    platform.faults.add("status", "GET", "/logs$", times=50, status=500)
    blind = ask(platform, tmp_path, service="guardian-document-worker")
    assert "not enough evidence" in blind
