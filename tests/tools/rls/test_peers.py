"""The table beside the rules names every rule of the peers once, and only rules that exist here."""

from __future__ import annotations

import re
from pathlib import Path

from tools import rls
from tools.rls.rules import RULES

TABLE = (Path(rls.__file__).parent / "PEERS.md").read_text()
ROWS = re.findall(r"^\| `([^`]+)` \| (?:`([a-z_]+)`)? ?\| (.*?) ?\|$", TABLE, re.MULTILINE)
PGRLS = (
    [f"SEC{n:03}" for n in range(1, 56)] + [f"PERF{n:03}" for n in range(1, 6)]
    + [f"HYG{n:03}" for n in range(1, 5)] + [f"VIEW{n:03}" for n in range(1, 5)]
)  # fmt: skip


def test_every_row_is_read() -> None:
    assert len(ROWS) == len([line for line in TABLE.splitlines() if line.startswith("| `")])


def test_every_rule_of_the_peers_has_one_row_and_all_that_are_named_exist() -> None:
    names = [name for name, _, _ in ROWS]
    assert [name for name in names if not name[0].isdigit()] == PGRLS
    numbers = [int(name[:4]) for name in names if name[0].isdigit()]
    assert numbers == list(range(1, 31))
    known = {rule.name for rule in RULES}
    assert {ours for _, ours, _ in ROWS if ours} <= known
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TABLE)) <= known


def test_what_has_no_counterpart_says_why() -> None:
    assert [name for name, ours, why in ROWS if not ours and len(why) < 20] == []


def test_lints_of_splinter_that_we_have_keep_their_names() -> None:
    named = {name[5:]: ours for name, ours, _ in ROWS if name[0].isdigit() and ours}
    others = {name: ours for name, ours in named.items() if name != ours}
    assert others == {"unindexed_foreign_keys": "policy_column_unindexed"}
