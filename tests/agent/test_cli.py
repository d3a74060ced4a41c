"""The command line as people and scripts use it: output, exit codes, one sentence for a mistake."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.loaded import loaded
from tests.conftest import CACHE
from tools import catalogue
from tools.rls.rules import RULES
from tools.sandbox import demo
from tools.sandbox.cluster import Cluster

SERGEI = str(Path(sys.executable).parent / "sergei")
Sergei = Callable[..., subprocess.CompletedProcess[str]]


def surroundings(tmp_path: Path) -> dict[str, str]:
    """An environment with no settings but folders of its own, and the tests' sandbox."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SERGEI_STATE_DIR": str(tmp_path / "state"),
        "SERGEI_CACHE_DIR": str(CACHE.parent),
    }


@pytest.fixture
def sergei(tmp_path: Path) -> Sergei:
    """Run the command in an empty workspace, with no settings but its own folders."""

    def run(*words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        workspace = tmp_path / "workspace"
        workspace.mkdir(exist_ok=True)
        return loaded().run([SERGEI, *words], surroundings(tmp_path) | extra, workspace)

    return run


def started(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    """The installed script, still running."""
    return subprocess.Popen(
        [SERGEI, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    )


def one_sentence(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The complaint, which is one line and no traceback."""
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("sergei"), done.stderr
    return done.stderr


def test_the_installed_script_starts_and_a_mistake_ends_it(tmp_path: Path):
    with started(tmp_path, "--version") as asked, started(tmp_path, "rules", "show", "gone") as wrong:
        assert asked.communicate()[0].startswith("sergei ") and asked.returncode == 0
        assert wrong.communicate()[1].count("\n") == 1 and wrong.returncode == 2


def test_help_version_and_listings(sergei: Sergei):
    assert "start here" in sergei("--help").stdout
    assert sergei("--version").stdout.startswith("sergei ")
    tools = sergei("tools").stdout
    assert all(name in tools for name in catalogue())
    rules = sergei("rules").stdout
    assert all(rule.name in rules for rule in RULES)
    assert "Why it matters" in sergei("rules", "show", RULES[0].name).stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("reviw",), 2, "invalid choice"),
        (("review", "network"), 2, "nothing to review"),
        (("review", "--demo", "--only", "rls_disabled"), 2, "rls_disabled_in_public"),
        (("review", "--demo", "--output", "/nowhere/x.html"), 2, "cannot be written"),
        (("review",), 2, "No database is connected"),
        (("review", "--database-url", "postgresql://"), 3, ""),
        (("review", "--database-url", "not a url"), 2, "malformed"),
        (("run", "list-tabels"), 2, "list-tables"),
        (("run", "describe-table"), 2, "table"),
        (("run", "execute-sql", "--json", "{"), 2, "not JSON"),
        (("review", "--demo", "--output", ""), 2, "cannot be written"),
        (("review", "--database-url", os.fsdecode(b"postgresql://u\xff@h/d")), 2, "not valid UTF-8"),
        (("rules", "show", "rls_disabled"), 2, "Did you mean"),
        (("rules", "list", "rls_disabled"), 2, "rules show"),
        (("demo", "--fault", "nonsense"), 2, "nonsense"),
        (("mcp", "--http", "nonsense"), 2, "HOST:PORT"),
        (("memory", "show", "nonsense"), 2, "nonsense"),
        (("run", "change-sql", "--demo", "--sql", "select 1"), 4, "nobody is here to ask"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_exit_code(
    sergei: Sergei, words: tuple[str, ...], code: int, says: str
):
    assert says in one_sentence(sergei(*words), code)


def test_a_malformed_settings_file_is_one_sentence(sergei: Sergei, tmp_path: Path):
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "sergei.toml").write_text("[target\n")
    assert "sergei.toml is not valid TOML" in one_sentence(sergei("review", "--demo"), 2)


def test_a_suppression_of_no_rule_is_one_sentence(sergei: Sergei, tmp_path: Path):
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "sergei.toml").write_text(
        '[[suppress]]\nrule = "security_definer_vie"\nreason = "a slip of the pen"\n'
    )
    assert "Did you mean security_definer_view" in one_sentence(sergei("review", "--demo"), 2)


def test_a_setting_in_the_environment_that_does_not_exist_is_one_sentence(sergei: Sergei):
    said = one_sentence(sergei("doctor", SERGEI_ENVIRONMENT="prod"), 2)
    assert "SERGEI_ENVIRONMENT" in said and "production" in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_sentence(sergei: Sergei, plain_database: str, tmp_path: Path):
    review = ("review", "--database-url", plain_database)
    assert "No space left" in one_sentence(sergei(*review, "--output", "/dev/full"), 3)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [SERGEI, *review], stdout=full, stderr=subprocess.PIPE, text=True, env=surroundings(tmp_path),
            check=False,
        )  # fmt: skip
    assert done.returncode == 3 and done.stderr.count("\n") == 1


def test_a_reader_who_leaves_early_ends_it_quietly(tmp_path: Path):
    with started(tmp_path, "tools", "--format", "json") as tools:
        assert tools.stdout and tools.stderr
        tools.stdout.close()
        assert tools.wait() == 0 and tools.stderr.read() == ""


def test_an_unreachable_host_is_one_sentence(sergei: Sergei):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = one_sentence(sergei("review", "--database-url", f"postgresql://u:secret@127.0.0.1:{port}/d"), 3)
    assert str(port) in said and "secret" not in said


@pytest.fixture
def chatterbox() -> Iterator[int]:
    """A port on which something answers that is not PostgreSQL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        yield server.getsockname()[1]


def test_a_server_that_is_not_postgres_is_one_sentence(sergei: Sergei, chatterbox: int):
    one_sentence(sergei("review", "--database-url", f"postgresql://u@127.0.0.1:{chatterbox}/d"), 3)


def test_the_demo_reviews_clean_plants_and_finds(sergei: Sergei):
    done = sergei("demo", "--no-chat")
    assert done.returncode == 0, done.stderr
    assert "0 errors, 0 warnings, 0 notes." in done.stdout
    assert f"{shlex.quote(SERGEI)} review --demo" in done.stdout, "the script is not on this PATH"
    assert "Next, try:" in done.stdout and "ERROR" in done.stdout
    assert "not named by any rule" not in done.stdout

    review = sergei("review", "--demo", "--format", "json")
    found = json.loads(review.stdout)
    assert review.returncode == 1 and found["summary"]["error"] > 0
    rule = found["findings"][0]["rule"]
    assert sergei("review", "--demo", "--fail-on", "never").returncode == 0
    only = json.loads(sergei("review", "--demo", "--only", rule, "--format", "json").stdout)
    assert {finding["rule"] for finding in only["findings"]} == {rule}

    masked = sergei("run", "execute-sql", "--demo", "--sql", "select given_name from profiles limit 2")
    assert masked.returncode == 0 and "<name:" in masked.stdout, masked.stdout + masked.stderr
    assert "execute_sql" in sergei("audit").stdout
    assert "the chain is whole" in sergei("audit", "verify").stdout
    assert "ok" in sergei("doctor", "--demo").stdout
    assert sergei("demo", "--clean", "--no-chat").returncode == 0
    assert sergei("review", "--demo").returncode == 0


def test_demos_take_turns_and_an_interrupted_one_leaves_nothing(cluster: Cluster, tmp_path: Path):
    with demo.exclusive(cluster):
        waits = started(tmp_path, "demo", "--no-chat")
        assert waits.stdout
        lines = iter(waits.stdout.readline, "")
        assert any("another `sergei demo` is at work" in line for line in lines)
        waits.send_signal(signal.SIGINT)
        _, said = waits.communicate(timeout=60)
    assert waits.returncode == 130 and said == "sergei: interrupted\n"
    with demo.exclusive(cluster):  # it is free again
        pass


def test_a_suppression_is_counted_and_not_reported(sergei: Sergei, guardian: str, tmp_path: Path):
    from tools.sandbox import faults

    fault = next(fault for fault in faults.faults() if fault.rule)
    faults.apply(guardian, fault)
    before = json.loads(sergei("review", "--database-url", guardian, "--format", "json").stdout)
    (tmp_path / "workspace" / "sergei.toml").write_text(
        "".join(
            f'[[suppress]]\nrule = "{f["rule"]}"\nobject = "{f["cache_key"]}"\nreason = "tried in a test"\n'
            for f in before["findings"]
        )
    )
    done = sergei("review", "--database-url", guardian, "--format", "json", "--fail-on", "info")
    after = json.loads(done.stdout)
    assert done.returncode == 0 and after["findings"] == []
    assert after["summary"]["suppressed"] == len(before["findings"]) > 0
