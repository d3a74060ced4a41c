"""The memory tool's protocol over the bank: the SDK's own file store is the oracle, but for lost updates."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.approvals import Answer, Approvals, Decision, Mode, Request
from agent.audit import AuditLog
from agent.executor import Executor
from memory import Bank, Banks, Draft
from memory.errors import MemoryBankError
from memory.history import log, restore
from tools import catalogue
from tools.errors import SergeiError
from tools.recall.memory import memory
from tools.recall.notebook import Notebook, Plan
from tools.redaction import Redactor
from tools.resources import Resources

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 5, 1, tzinfo=UTC)
Command = dict[str, Any]


class Ours:
    """Commands straight at the notebook, errors as their words."""

    def __init__(self, root: Path) -> None:
        self.notebook = Notebook(Bank(root), Redactor(strict=True).objection)

    def __call__(self, command: Command) -> str:
        given = {key: value for key, value in command.items() if key != "command"}
        book, name = self.notebook, command["command"]
        plans: dict[str, Callable[[], Plan]] = {
            "create": lambda: book.create(given["path"], given["file_text"]),
            "str_replace": lambda: book.str_replace(given["path"], given["old_str"], given["new_str"]),
            "insert": lambda: book.insert(given["path"], given["insert_line"], given["insert_text"]),
            "delete": lambda: book.delete(given["path"], NOW),
            "rename": lambda: book.rename(given["old_path"], given["new_path"]),
        }
        try:
            if name == "view":
                return book.view(given["path"], given.get("view_range"))
            return book.carry_out(plans[name])
        except (SergeiError, MemoryBankError) as error:
            return str(error)


class Theirs:
    """The same commands at the SDK's file store."""

    def __init__(self, root: Path) -> None:
        from anthropic.lib.tools import ToolError
        from anthropic.tools import BetaLocalFilesystemMemoryTool

        self.store, self.error = BetaLocalFilesystemMemoryTool(str(root)), ToolError

    def __call__(self, command: Command) -> str:
        try:
            return str(self.store.call(command))
        except self.error as error:
            return str(error)


def create(path: str, text: str) -> Command:
    return {"command": "create", "path": path, "file_text": text}


def view(path: str, *view_range: int) -> Command:
    return {"command": "view", "path": path, **({"view_range": list(view_range)} if view_range else {})}


def swap(path: str, old: str, new: str) -> Command:
    return {"command": "str_replace", "path": path, "old_str": old, "new_str": new}


def insert(path: str, line: int, text: str) -> Command:
    return {"command": "insert", "path": path, "insert_line": line, "insert_text": text}


def delete(path: str) -> Command:
    return {"command": "delete", "path": path}


def rename(old: str, new: str) -> Command:
    return {"command": "rename", "old_path": old, "new_path": new}


NOTE = "/memories/progress.md"
SEQUENCE = [
    view("/memories"),
    view("/memories/none.md"),
    create(NOTE, "one\ntwo\nthree\ntwo\n"),
    create(NOTE, "again"),
    view(NOTE),
    view(NOTE, 2, 3),
    view(NOTE, 3, -1),
    view(NOTE, 0, 1),
    swap(NOTE, "three", "drei"),
    swap(NOTE, "absent", "x"),
    swap(NOTE, "two", "x"),
    swap("/memories/none.md", "a", "b"),
    swap("/memories", "a", "b"),
    insert(NOTE, 0, "first\n"),
    insert(NOTE, 5, "last"),
    insert(NOTE, 99, "x"),
    insert(NOTE, -1, "x"),
    insert("/memories/none.md", 0, "x"),
    view(NOTE),
    create("/memories/a/b/c/deep.txt", "deep\r\nwith CRLF\r\n"),
    create("/memories/a/near.txt", ""),
    view("/memories"),
    view("/memories/a"),
    view("/memories/a/b/c/deep.txt"),
    swap("/memories/a/b/c/deep.txt", "with", "has"),
    insert("/memories/a/b/c/deep.txt", 1, "middle"),
    rename(NOTE, "/memories/a/near.txt"),
    rename(NOTE, "/memories/a/moved.md"),
    rename("/memories/none.md", "/memories/x.md"),
    rename("/memories", "/memories2"),
    view("/memories/a/moved.md"),
    rename("/memories/a", "/memories/z"),
    view("/memories"),
    delete("/memories/a"),
    delete("/memories/z/near.txt"),
    delete("/memories/z/near.txt"),
    view("/memories/z/near.txt"),
    delete("/memories"),
    delete("/memories/z"),
    view("/memories"),
    view("/etc/passwd"),
]


def without_folder_sizes(answer: str) -> str:
    """A folder's size is the file system's business."""
    lines = answer.split("\n")
    folders = [
        line.rpartition("\t")[2] if line.endswith("/") or number == 1 else line
        for number, line in enumerate(lines)
    ]
    return "\n".join(folders if lines[0].startswith("Here're") else lines)


def test_answers_and_errors_are_those_that_clients_know(tmp_path: Path):
    ours, theirs = Ours(tmp_path / "bank"), Theirs(tmp_path)
    for number, command in enumerate(SEQUENCE):
        mine, expected = ours(command), theirs(command)
        if command == rename("/memories", "/memories2"):
            assert (
                mine == "Path must start with /memories, got: /memories2"
            )  # theirs takes any such beginning
            continue
        assert without_folder_sizes(mine) == without_folder_sizes(expected), (number, command)


@pytest.mark.parametrize(
    "path",
    [
        "/memories/../secrets.md", "/memories/a/../../x", "/memories/./x", "/memories\\..\\x", "/memoriesx/y",
        "/memories/%2e%2e/x", "/memories/.git/config", "/memories/.index.sqlite", "/memories/a/.hidden/x",
        "memories/x", "", "/", "/memories/a\x00b", "/memories/a\nb", "/memories/link/x", "/memories/link",
    ],
)  # fmt: skip
def test_nothing_outside_and_nothing_hidden_can_be_named(tmp_path: Path, path: str):
    (tmp_path / "bank").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("theirs")
    (tmp_path / "bank" / "link").symlink_to(tmp_path / "outside")
    ours = Ours(tmp_path / "bank")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    for command in (
        view(path),
        create(path, "x"),
        swap(path, "theirs", "x"),
        delete(path),
        rename(path, "/memories/n"),
    ):
        assert ours(command).startswith(("Path ", "No ", "The path")), command
    assert (tmp_path / "outside" / "x").read_text() == "theirs"
    assert {".lock", ".gitignore"} >= {path.name for path in tmp_path.rglob("*")} - set(before)


# Entries

ENTRY = Draft(
    title="profile_grants: index the columns that policies filter by",
    category="database-optimizations",
    action="create index concurrently on public.profile_grants (grantee_id)",
    result="p95 went from 900 ms to 40 ms",
)


def entry_path(bank: Bank) -> tuple[str, str]:
    """The path of the bank's one entry, in the protocol and on disk."""
    (file,) = bank.root.glob("*/*.md")
    return f"/memories/{file.relative_to(bank.root).as_posix()}", str(file)


def test_an_entry_is_a_file_in_its_category_and_stays_one(tmp_path: Path):
    ours, bank = Ours(tmp_path), Bank(tmp_path)
    saved = bank.add(ENTRY, source="a test", now=NOW).entry
    path, file = entry_path(bank)
    assert path in ours(view("/memories")) and "## Action" in ours(view(path))
    assert ours(swap(path, "## Result\n\np95", "## Result\n\nmeasured again, 35 ms: p95")).startswith(
        "The memory file has been edited."
    )
    assert "35 ms" in bank.get(saved.id).result
    before = Path(file).read_text()
    for broken in (
        swap(path, "category: database-optimizations", "category: jokes"),
        swap(path, saved.id, "x"),
    ):
        assert "front matter key" in ours(broken)
    assert "lies in" in ours(swap(path, "category: database-optimizations", "category: performance-tuning"))
    assert Path(file).read_text() == before
    free = create("/memories/problem-solutions/free.md", "just words")
    assert "front matter" in ours(free) and not (tmp_path / "problem-solutions" / "free.md").exists()
    copied = create(
        "/memories/database-optimizations/copy.md", before.replace(saved.id, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    )
    assert ours(copied) == "File created successfully at: /memories/database-optimizations/copy.md"
    assert len(bank.entries()) == 2 and bank.problems() == ()


def test_a_renamed_entry_takes_on_its_folders_category_and_does_not_leave_the_bank(tmp_path: Path):
    ours, bank = Ours(tmp_path), Bank(tmp_path)
    saved = bank.add(ENTRY, source="a test", now=NOW).entry
    path, _ = entry_path(bank)
    assert "stays in a category" in ours(rename(path, "/memories/notes.md"))
    assert "fixed folders" in ours(rename("/memories/database-optimizations", "/memories/x"))
    new = "/memories/performance-tuning/grants.md"
    assert ours(rename(path, new)) == f"Successfully renamed {path} to {new}"
    assert bank.get(saved.id).category == "performance-tuning" and bank.problems() == ()
    assert ours(view(path)) == f"The path {path} does not exist. Please provide a valid path."


def test_deleting_retires_and_keeps_the_file(tmp_path: Path):
    ours, bank = Ours(tmp_path), Bank(tmp_path)
    saved = bank.add(ENTRY, source="a test", now=NOW).entry
    path, file = entry_path(bank)
    ours(create("/memories/notes/plan.md", "the plan\n"))
    assert ours(delete("/memories/database-optimizations")).startswith("Successfully deleted")
    assert ours(delete("/memories/notes")).startswith("Successfully deleted")
    assert bank.get(saved.id).status == "retired" and "40 ms" in Path(file).read_text()
    assert Banks(bank).recall("profile_grants index", now=NOW) == []
    assert "does not exist" in ours(view(path)) and "already exists" in ours(create(path, "x"))
    assert log(bank)[0].who == "memory tool"
    assert restore(bank, log(bank)[1].id).status == "active", "the history gives it back"
    bank.retire(saved.id, "again")
    (kept,) = (tmp_path / ".retired").iterdir()
    assert kept.read_text() == "the plan\n"
    assert ours(view("/memories")).count("\n") == 1, "nothing shows any more"


@pytest.mark.parametrize("text", ["patient: Jane Roe", "password=hunter2hunter2", "call +1 415 555 2671"])
def test_a_persons_values_and_secrets_are_refused_by_every_command(tmp_path: Path, text: str):
    ours = Ours(tmp_path)
    ours(create(NOTE, "one\n"))
    for command in (create("/memories/b.md", text), swap(NOTE, "one", text), insert(NOTE, 1, text)):
        answer = ours(command)
        assert "looks like a" in answer and text not in answer
    assert (tmp_path / "progress.md").read_text() == "one\n"


WRITER = """
import sys
from pathlib import Path
from memory import Bank
from tools.recall.notebook import Notebook
book = Notebook(Bank(Path(sys.argv[1])), lambda text: None)
for number in range(int(sys.argv[3])):
    answer = book.carry_out(lambda: book.insert("/memories/log.md", 0, f"{sys.argv[2]}-{number}"))
    print(answer, flush=True)
"""


def test_inserts_of_several_processes_are_all_there(tmp_path: Path):
    Ours(tmp_path)(create("/memories/log.md", ""))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(name), "40"],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
        )
        for name in range(4)
    ]  # fmt: skip
    said = [writer.communicate(timeout=60)[0] for writer in writers]
    assert sum(answer.count("has been edited") for answer in said) == 160
    kept = (tmp_path / "log.md").read_text().split()
    assert sorted(kept) == sorted(f"{name}-{number}" for name in range(4) for number in range(40))


def test_a_persons_edit_between_plan_and_write_is_not_overwritten(tmp_path: Path):
    ours = Ours(tmp_path)
    ours(create(NOTE, "one\n"))
    book = ours.notebook

    def plan() -> Plan:
        planned = book.insert(NOTE, 1, "two")
        (tmp_path / "progress.md").write_text("one, mended by hand\n")  # an editor knows no lock
        return planned

    with pytest.raises(MemoryBankError, match="changed while it was being written"):
        book.carry_out(plan)
    assert (tmp_path / "progress.md").read_text() == "one, mended by hand\n"


# Through the gate


def gate(
    tmp_path: Path, answer: Answer | None = Answer.ONCE, mode: Mode = Mode.ACT
) -> tuple[Executor, list[Request]]:
    asked: list[Request] = []

    async def person(request: Request) -> Decision:
        asked.append(request)
        assert answer is not None
        return Decision(answer, by="person")

    executor = Executor(
        {memory.name: memory},
        Resources(bank_or_none=Banks(Bank(tmp_path / "bank"))),
        approvals=Approvals(mode, person if answer else None),
        redactor=Redactor(),
        audit=AuditLog.open(tmp_path / "audit.jsonl", face="test"),
    )
    return executor, asked


async def test_looking_asks_nobody_and_every_change_does(tmp_path: Path):
    executor, asked = gate(tmp_path)
    assert (await executor.call("memory", create(NOTE, "one\n"))).ok
    assert (await executor.call("memory", view(NOTE))).structured()["text"].endswith("     1\tone\n     2\t")
    for command in (
        swap(NOTE, "one", "two"),
        insert(NOTE, 1, "x"),
        rename(NOTE, "/memories/p.md"),
        delete("/memories/p.md"),
    ):
        assert (await executor.call("memory", command)).ok, command
    assert [request.arguments["command"] for request in asked] == [
        "create",
        "str_replace",
        "insert",
        "rename",
        "delete",
    ]
    assert "replace\none\nby\ntwo" in asked[1].preview.action
    effects = [record["effect"] for record in executor.audit.records() if record["event"] == "outcome"]
    assert effects.count("read") == 1 and effects.count("destructive") == 1


@pytest.mark.parametrize(
    ("answer", "mode"), [(None, Mode.ACT), (Answer.DENY, Mode.ACT), (Answer.ONCE, Mode.INVESTIGATE)]
)
async def test_without_a_yes_nothing_is_written(tmp_path: Path, answer: Answer | None, mode: Mode):
    executor, _ = gate(tmp_path, answer, mode)
    refused = await executor.call("memory", create(NOTE, "one\n"))
    assert refused.failure and refused.failure.kind == "refused"
    assert (await executor.call("memory", view("/memories"))).ok
    assert not (tmp_path / "bank" / "progress.md").exists()


async def test_what_cannot_be_done_is_said_before_anybody_is_asked(tmp_path: Path):
    executor, asked = gate(tmp_path)
    outcome = await executor.call("memory", delete("/memories/none.md"))
    assert outcome.failure and outcome.failure.message == "The path /memories/none.md does not exist"
    half = await executor.call("memory", {"command": "insert", "path": NOTE})
    assert half.failure and "insert_line and insert_text" in half.failure.message
    assert asked == []


async def test_what_is_viewed_is_cleaned(tmp_path: Path):
    executor, _ = gate(tmp_path)
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "by-hand.md").write_text("patient: Jane Roe\n")
    outcome = await executor.call("memory", view("/memories/by-hand.md"))
    assert outcome.ok and "Jane" not in outcome.markdown()


def test_it_is_not_in_the_catalogue_unless_asked_for():
    assert "memory" not in catalogue() and memory.looks is not None
    assert [tool.name for tool in catalogue().values() if tool.looks is not None] == []
