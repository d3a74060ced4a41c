"""`sergei memory` as people and scripts use it: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.commands import memory
from memory import Draft, starter_bank, usage
from memory.ulid import tail
from tests.agent.memory_person import NOW, Person


@pytest.mark.parametrize("action", memory.ACTIONS)
def test_every_action_explains_itself(person: Person, action: str):
    assert person.memory(action, "--help") == 0
    assert person.says.startswith(f"usage: sergei memory {action}")
    assert person.memory("--help") == 0
    assert action in person.says and "exit codes" in person.says


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("nonsense", 2, "invalid choice: 'nonsense'"),
        ("show", 2, "required: ID"),
        ("show nonsense", 2, "has no entry 'nonsense'"),
        ("show 00000000000000000000000000", 2, "has no entry"),
        ("search --limit 0 x", 2, "from 1 to 1000"),
        ("search --limit x y", 2, "from 1 to 1000"),
        ("outcome nonsense worked", 2, "has no entry"),
        ("outcome nonsense great", 2, "invalid choice: 'great'"),
        ("retire nonsense --reason x", 2, "has no entry"),
        ("supersede nonsense", 2, "has no entry"),
        ("edit nonsense", 2, "has no entry"),
        ("add --title only", 2, "also needs --category, --action, --result"),
        ("add --valid-until soon", 2, "a day such as"),
        ("add --from /nowhere/x.md", 2, "cannot be read"),
        ("add --from x.md --title y", 2, "brings the whole text"),
        ("add", 2, "no terminal for an editor"),
        ("log nonsense", 2, "has no entry"),
        ("log --limit 0", 2, "at least 1"),
        ("diff gibberish", 2, "has no change"),
        ("restore nonsense.3", 2, "has no entry"),
        ("export --output /nowhere/x.md", 2, "cannot be written"),
        ("page /nowhere/x.html", 2, "cannot be written"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_exit_code(person: Person, words: str, code: int, says: str):
    assert person.memory(*words.split()) == code
    assert person.says == "" and says in person.complains
    assert person.complains.startswith("sergei: ") and person.complains.count("\n") == 1


@pytest.mark.parametrize("action", [name for name in memory.ACTIONS if name not in ("show", "outcome")])
def test_switched_off_every_action_says_so(person: Person, action: str):
    needs = {
        "search": ["x"],
        "edit": ["x"],
        "retire": ["x"],
        "supersede": ["x"],
        "diff": ["x"],
        "restore": ["x"],
    }
    person.patch.setenv("SERGEI_MEMORY", "off")
    assert person.memory(action, *needs.get(action, [])) == 2
    assert "The memory bank is switched off." in person.complains and person.says == ""
    person.patch.delenv("SERGEI_MEMORY")
    (person.workspace / "sergei.toml").write_text("[agent]\nmemory = false\n")
    assert person.memory(action, *needs.get(action, [])) == 2
    assert "switched off" in person.complains
    assert not (person.workspace / ".sergei").exists()


def test_a_misspelled_off_is_no_on(person: Person):
    person.patch.setenv("SERGEI_MEMORY", "of")
    assert person.memory("list") == 2
    assert "SERGEI_MEMORY" in person.complains


def test_the_list_is_by_category_and_says_what_is_not_simply_valid(person: Person):
    old = person.remembers("Restart the worker at night", category="problem-solutions", days_ago=9)
    draft = Draft("Fix the leak instead", "problem-solutions", "Upgraded the library.", "Memory is flat.")
    new = person.bank.supersede(old.id, draft, source="a test", now=NOW).entry
    failed = person.remembers("Raise work_mem", outcome="failed")
    assert person.memory() == person.memory("list") == 0
    assert all(entry.title in person.says for entry in starter_bank().entries())
    assert person.memory("list", "--own") == 0
    assert person.says.splitlines() == [
        "performance-tuning",
        f"  {tail(failed.id)}  Raise work_mem [failed 1 of 1]",
        "problem-solutions",
        f"  {tail(new.id)}  Fix the leak instead",
        f"  {tail(old.id)}  Restart the worker at night [superseded by {tail(new.id)}]",
    ]
    assert person.memory("list", "--own", "--status", "superseded") == 0
    assert person.says.splitlines()[1:] == [
        f"  {tail(old.id)}  Restart the worker at night [superseded by {tail(new.id)}]"
    ]
    found = person.read("list", "--own", "--category", "problem-solutions")
    assert [(one["short"], one["superseded_by"], one["bank"]) for one in found] == [
        (tail(old.id), new.id, "workspace"),
        (tail(new.id), None, "workspace"),
    ]
    assert person.memory("list", "--category", "handoffs") == 0
    assert person.says == "" and "No entry fits" in person.complains


def test_a_search_says_why_warns_and_is_counted(person: Person):
    entry = person.remembers("Timeline of care_notes: index", outcome="failed")
    assert person.memory("search", "timeline", "care_notes") == 0
    assert f"  {tail(entry.id)}  {entry.title}" in person.says
    assert "matches" in person.says and "beware: Failed on" in person.says
    best = person.read("search", "timeline care_notes")[0]
    assert best["id"] == entry.id and best["why"] and best["warning"] and best["score"] > 0
    counted = usage.read(person.state / "recalled.sqlite", person.bank.root)
    assert counted.times(entry.id) == 2
    assert person.memory("search", "zzzzqqqq") == 0
    assert person.says == "" and "nothing on this" in person.complains


def test_an_entry_is_shown_whole_raw_and_as_json(person: Person):
    entry = person.remembers("Raise work_mem for the report", why="The sort spilled.")
    assert person.memory("show", tail(entry.id).upper()) == 0
    assert person.says.startswith(f"# {entry.title}") and "## Why\n\nThe sort spilled." in person.says
    path, text = person.bank.source(entry.id)
    assert str(path) in person.complains
    assert person.memory("show", entry.id, "--raw") == 0
    assert person.says == text
    assert person.read("show", entry.id)["why"] == "The sort spilled."


def test_what_files_hold_cannot_play_with_the_terminal(person: Person):
    entry = person.remembers("Harmless timeline of care_notes")
    path, text = person.bank.source(entry.id)
    path.write_text(
        text.replace(
            "title: Harmless timeline of care_notes", 'title: "Har\\x1b[2Jmless timeline of care_notes"'
        ).replace("Changed", "\x1b]0;x\x07Chan")
    )
    for words in (["list", "--own"], ["show", entry.id], ["search", "timeline", "care_notes"]):
        assert person.memory(*words) == 0
        assert "mless" in person.says and "\x1b" not in person.says + person.complains


def test_an_outcome_and_a_retirement_are_recorded(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    words = ["outcome", tail(entry.id), "failed", "--ref", "deploy 7", "--note", "Out of memory."]
    assert person.memory(*words) == 0
    assert "worked 1x, failed 1x" in person.says
    last = person.bank.get(entry.id).outcomes[-1]
    assert (last.result, last.ref, last.note) == ("failed", "deploy 7", "Out of memory.")
    assert person.memory("retire", tail(entry.id)) == 2
    assert "needs a reason" in person.complains
    assert person.memory("retire", tail(entry.id), "--reason", "The report is gone.") == 0
    assert person.bank.get(entry.id).retired_because == "The report is gone."
    assert person.memory("retire", tail(entry.id), "--reason", "Again.") == 2
    assert "retired already: The report is gone." in person.complains


def test_what_is_recorded_about_an_entry_that_ships_is_kept_on_a_copy(person: Person):
    entry = starter_bank().entries()[0]
    assert person.memory("log", tail(entry.id)) == 0
    assert person.says == "" and "never changed here" in person.complains
    assert person.memory("outcome", tail(entry.id), "worked", "--note", "It did.") == 0
    assert person.bank.get(entry.id).count("worked") == entry.count("worked") + 1
    assert starter_bank().get(entry.id) == entry


def test_patient_data_and_secrets_are_refused_with_their_own_exit_code(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    assert person.memory("outcome", entry.id, "worked", "--note", "MRN 12345678, SSN 078-05-1120") == 4
    assert "078-05-1120" not in person.says + person.complains
    flags = ["--title", "A note on a row", "--category", "problem-solutions", "--result", "It was found."]
    assert person.memory("add", *flags, "--action", "Looked up SSN 078-05-1120 by hand.") == 4
    assert len(person.bank.entries()) == 1 and len(person.bank.get(entry.id).outcomes) == 1


def test_lint_names_the_broken_file_and_ends_with_1(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    assert person.memory("lint") == 0
    assert "no problem" in person.says
    path, text = person.bank.source(entry.id)
    path.write_text(text.replace("confidence: medium", "confidence: quite"))
    assert person.memory("lint") == 1
    assert person.says.startswith(f".sergei/memory/performance-tuning/{path.name}: ")
    assert "confidence" in person.says
    assert person.read("lint") == [{"path": str(path), "message": person.bank.problems()[0].message}]
    assert person.memory("list", "--own") == 0
    assert "1 file of the bank has a problem" in person.complains


def test_changes_are_listed_shown_and_taken_back(person: Person):
    entry = person.remembers("Raise work_mem for the report")
    assert person.memory("outcome", entry.id, "failed", "--note", "Out of memory.") == 0
    assert person.memory("log") == 0
    lines = person.says.splitlines()
    assert lines[0].startswith(f"{tail(entry.id)}.2  ") and "outcome by" in lines[0]
    assert lines[1] == f"  {entry.title}"
    assert lines[3].startswith(f"{tail(entry.id)}.1  ") and lines[3].endswith("added by anna")
    assert [one["how"] for one in person.read("log", tail(entry.id))] == ["outcome", "added"]
    assert person.memory("diff", f"{tail(entry.id)}.2") == 0
    assert "+    note: Out of memory." in person.says or '+    note: "Out of memory."' in person.says
    assert person.memory("restore", f"{tail(entry.id)}.1") == 0
    assert person.bank.get(entry.id) == entry
    assert [one["how"] for one in person.read("log", "--limit", "1")] == ["restored"]


def test_figures_add_up(person: Person):
    person.remembers("Raise work_mem for the report", days_ago=400)
    person.remembers("Lower work_mem for the web", action="Lowered it to 4MB.", outcome="failed")
    person.memory("search", "report", "work_mem")
    found = person.read("stats")
    assert found["own"] == 2 and found["entries"] == 2 + len(starter_bank().entries())
    assert sum(found["category"].values()) == found["entries"] == sum(found["last_confirmed"].values())
    assert found["outcomes"] == {"worked": 1, "failed": 1, "partly": 0}
    assert found["counted_since"] and found["most_recalled"][0]["times"] == 1
    assert person.memory("stats") == 0
    assert person.says.splitlines()[0] == f"{found['entries']} entries, 2 of them your own"


def test_the_bank_becomes_one_file(person: Person, tmp_path: Path):
    entry = person.remembers(
        "Raise work_mem", action="Ran this:\n\n```sql\n# no heading\n```\n\n## Not ours\n\nDone."
    )
    file = tmp_path / "bank.json"
    assert person.memory("export", "--json", "--output", str(file)) == 0
    found = json.loads(file.read_text())["entries"]
    assert {one["id"] for one in found} >= {entry.id, *(one.id for one in starter_bank().entries())}
    assert person.memory("export", "--own") == 0
    assert person.says.startswith("# Memory bank\n")
    assert "\n## performance-tuning\n\n### Raise work_mem\n" in person.says
    assert "\n#### Action\n" in person.says and "\n# no heading\n" in person.says
    assert person.memory("page") == 0
    assert (person.workspace / "sergei-memory.html").read_text().startswith("<!doctype html>")


def test_an_entry_is_written_to_the_bank_that_is_named_and_found_from_everywhere(person: Person):
    (person.workspace / "sergei.toml").write_text('[agent]\nteam_memory = "team"\n')
    (person.workspace / "team").mkdir()
    words = ["--category", "handoffs", "--action", "Restarted the worker.", "--result", "It served again."]
    for bank in ("team", "user"):
        assert person.memory("add", "--bank", bank, "--title", f"What the {bank} knows", *words) == 0
    found = {one["title"]: one for one in person.read("list", "--own")}
    assert {title: one["bank"] for title, one in found.items()} == {
        "What the team knows": "team",
        "What the user knows": "user",
    }
    team = found["What the team knows"]["id"]
    assert person.memory("outcome", team, "worked", "--bank", "team") == 0
    assert [one["how"] for one in person.read("log", team)] == ["outcome", "added"]
    assert len(person.read("log")) == 3 and person.bank.entries() == ()
    assert person.memory("restore", f"{tail(team)}.1") == 0
    assert person.read("show", team)["counts"]["worked"] == 1
    assert person.read("show", team)["bank"] == "team"
    assert person.memory("outcome", team, "failed") == 0
    assert person.read("show", team)["bank"] == "workspace"
