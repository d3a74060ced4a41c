"""The price table: every line has a source, old names lead to new ids, what is unknown stays unknown."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tests.contracts import specs_folder
from tools.render.costing.prices import Kind, connection_limit, prices, size_of
from tools.render.plans import OLD_NAMES

KINDS: tuple[Kind, ...] = ("service", "postgres", "key_value")
TABLES = (*KINDS, "cron", "workspace", "rate")


def test_every_line_names_a_source_that_is_described():
    table = prices().table
    lines = [(kind, name, line) for kind in TABLES for name, line in table[kind].items()]
    assert len(lines) > 60
    for kind, name, line in lines:
        assert line["source"] in table["source"], (kind, name)
        assert ("other" in line) == ("other_source" in line)
    assert all(
        source["page"].startswith("https://") and source["note"] for source in table["source"].values()
    )


def test_old_names_lead_to_plans_that_have_a_price():
    listed = prices()
    for kind in KINDS:
        for old, new in OLD_NAMES[kind].items():
            assert listed.plan_id(kind, old) == new
            assert listed.plan(kind, old) == listed.plan(kind, new) is not None
    assert listed.plan_id("service", "Pro Plus") == "4c-8g"
    assert listed.plan_id("postgres", "basic-256mb") == "0.1c-256mb"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plan", ["custom", "", "16c-1g", "enterprise_9tb"])
def test_an_unknown_plan_has_no_price(kind: Kind, plan: str):
    assert prices().plan(kind, plan) is None


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_moved_to_a_free_plan_or_to_one_of_unknown_size(kind: Kind):
    plans = prices().plans(kind)
    assert len(plans) >= 4
    assert all(price.month > 0 and size.memory > 0 for _, size, price in plans)
    assert [price.month for *_, price in plans] == sorted(price.month for *_, price in plans)


def test_the_sizes_in_names_are_read():
    found = size_of("0.5c-512mb")
    assert found and (found.cpus, found.memory) == (0.5, 512 * 2**20)
    old = size_of("pro_16gb")
    assert old and (old.cpus, old.memory) == (None, 16 * 2**30)
    assert size_of("custom") is None


def test_the_age_is_said_and_an_old_table_warns():
    assert prices().age(date(2026, 11, 26)) == "list prices of 2026-10-02 (55 days old)"
    assert "OLD" in prices().age(date(2027, 11, 26))


def test_sources_that_disagree_are_both_kept():
    price = prices().plan("key_value", "1g")
    assert price and (price.month, price.other) == (20, 32)


@pytest.mark.parametrize(("gigabytes", "most"), [(0.25, 100), (7.9, 100), (8, 200), (16, 400), (64, 500)])
def test_connections_of_a_postgres_follow_its_memory(gigabytes: float, most: int):
    assert connection_limit(gigabytes * 2**30) == most


def test_the_table_agrees_with_the_prices_that_were_read():
    said = json.loads((specs_folder() / "pricing.json").read_text())["render"]
    listed = prices()
    pairs: list[tuple[Kind, str]] = [
        ("service", "services_monthly"), ("postgres", "postgres_monthly"),
        ("postgres", "postgres_monthly_old_names"), ("key_value", "key_value_monthly"),
    ]  # fmt: skip
    for kind, name in pairs:
        for plan, month in said[name].items():
            found = listed.plan(kind, plan)
            assert found and found.month == month, (kind, plan)
    for plan, amount in said["cron_per_minute"].items():
        assert listed.cron_minute(plan) == amount
