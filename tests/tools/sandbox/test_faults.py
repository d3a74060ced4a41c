"""Planted faults: each is found where its header says, alone and together, and leaves nothing when undone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.database.connection import Database
from tools.errors import InvalidInput, RemoteError
from tools.findings import Finding
from tools.rls.reading import read_snapshot
from tools.rls.rules import RULES
from tools.rls.snapshot import Snapshot
from tools.sandbox import demo, faults
from tools.sandbox.cluster import Cluster
from tools.sandbox.faults import Fault

# True findings that a fault brings along because one act breaks two things.
COMPANIONS = {
    "provider_verifies_himself": {("access_table_update_unlimited", "public.providers")},
    "rls_switched_off": {("rls_disabled_in_public", "public.conditions")},
    "reminder_moves_to_other_profile": {("guard_trigger_missing", "public.reminders")},
    "helper_parameter_shadowed": {("policy_function_per_row", "private.is_member(uuid)")},
}
DECIDED = [fault for fault in faults.faults() if fault.rule]
UNDECIDED = [fault for fault in faults.faults() if not fault.rule]


@pytest.fixture(scope="module")
def demo_dsn(cluster: Cluster) -> Iterator[str]:
    with cluster.scratch("faults", template=demo.template(cluster)) as dsn:
        yield dsn


def read(dsn: str) -> tuple[Snapshot, list[Finding]]:
    async def reading() -> Snapshot:
        database = Database(dsn)
        try:
            return await read_snapshot(database)
        finally:
            await database.close()

    snapshot = asyncio.run(reading())
    return snapshot, [finding for rule in RULES for finding in rule.check(snapshot)]


def picture(snapshot: Snapshot) -> dict[str, object]:
    """Everything in a snapshot that decides about access, comparable and without oids."""
    return {
        "relations": {
            r.title: (
                r.kind, r.rls, r.forced, r.acl, r.options, r.definition, sorted(r.columns),
                {name: column.acl for name, column in r.columns.items() if column.acl},
                sorted((p.name, p.command, p.permissive, p.roles) for p in r.policies),
                sorted((p.name, p.using_text or "", p.check_text or "") for p in r.policies),
                sorted((t.name, t.kind, t.arguments) for t in r.triggers),
                sorted((i.columns, i.unique, str(i.predicate)) for i in r.indexes),
                sorted((k.kind, k.columns, k.target) for k in r.keys),
            )
            for r in snapshot.relations.values()
        },
        "functions": {
            f.title: (f.definer, f.config, f.acl, f.volatility, f.language, " ".join(f.body.split()))
            for f in snapshot.functions
        },
        "schemas": snapshot.schemas,
        "buckets": sorted((b.id, b.public) for b in snapshot.buckets),
        "publications": [(p.name, p.all_tables, sorted(p.relations)) for p in snapshot.publications],
    }  # fmt: skip


@pytest.fixture(scope="module")
def clean(demo_dsn: str) -> dict[str, object]:
    snapshot, findings = read(demo_dsn)
    assert [finding.message for finding in findings] == []
    return picture(snapshot)


@pytest.mark.parametrize("fault", DECIDED, ids=lambda fault: fault.name)
def test_a_fault_is_found_alone_and_gone_when_undone(
    demo_dsn: str, clean: dict[str, object], fault: Fault
) -> None:
    faults.apply(demo_dsn, fault)
    _, findings = read(demo_dsn)
    faults.undo(demo_dsn, fault)
    found = {(finding.rule, finding.object): finding.level for finding in findings}
    assert found.pop((fault.rule or "", fault.object)) == fault.level
    assert set(found) == COMPANIONS.get(fault.name, set())
    snapshot, findings = read(demo_dsn)
    assert [finding.message for finding in findings] == []
    assert picture(snapshot) == clean


@pytest.mark.parametrize("fault", UNDECIDED, ids=lambda fault: fault.name)
def test_a_fault_that_no_rule_decides_says_why_and_is_not_found(
    demo_dsn: str, clean: dict[str, object], fault: Fault
) -> None:
    faults.apply(demo_dsn, fault)
    snapshot, findings = read(demo_dsn)
    changed = picture(snapshot)
    faults.undo(demo_dsn, fault)
    assert fault.reason
    assert [finding.message for finding in findings] == []
    assert changed != clean
    assert picture(read(demo_dsn)[0]) == clean


def test_all_faults_compose_and_each_expected_finding_shows(demo_dsn: str, clean: dict[str, object]) -> None:
    faults.apply(demo_dsn, *faults.faults())
    _, findings = read(demo_dsn)
    faults.undo(demo_dsn, *faults.faults())
    found = [(finding.rule, finding.object) for finding in findings]
    expected = {(fault.rule, fault.object) for fault in DECIDED}
    assert expected <= set(found)
    assert set(found) - expected == {pair for pairs in COMPANIONS.values() for pair in pairs}
    assert len(found) == len(set(found))
    assert picture(read(demo_dsn)[0]) == clean


def test_every_rule_named_by_a_fault_exists_and_most_faults_have_one() -> None:
    names = {rule.name for rule in RULES}
    assert {fault.rule for fault in DECIDED} <= names
    assert len(DECIDED) >= 40
    assert {fault.kind for fault in faults.faults()} == set(faults.CLASSES)


def test_an_unknown_fault_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(InvalidInput, match="bucket_made_public"):
        faults.fault("bucket_public")


def test_a_fault_that_does_not_fit_is_one_sentence(plain_database: str) -> None:
    with pytest.raises(RemoteError, match="rls_switched_off does not fit") as caught:
        faults.apply(plain_database, faults.fault("rls_switched_off"))
    assert caught.value.code == "42P01"


def test_a_file_without_its_undo_part_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.sql"
    path.write_text(
        "-- title: x\n-- class: RLS\n-- story: y\n-- rule: r\n-- level: ERROR\n-- object: o\nselect 1;\n"
    )
    with pytest.raises(InvalidInput, match=r"half\.sql"):
        faults.read(path)
