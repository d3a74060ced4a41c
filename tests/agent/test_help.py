"""--help says what there is wherever a person types it."""

from __future__ import annotations

import pytest

from agent.cli import main
from agent.commands import rls


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("rls", "--help"), 0, "usage: sergei rls"),
        (("rls", "-h"), 0, "usage: sergei rls"),
        (("rls",), 0, "usage: sergei rls"),
        (("run", "--help"), 0, "usage: sergei run TOOL"),
        (("run",), 2, "usage: sergei run TOOL"),
        (("run", "list-tables", "--help"), 0, "usage: sergei run list-tables"),
        *(((f"rls {action} --help").split(), 0, f"usage: sergei rls {action}") for action in rls.ACTIONS),
    ],
)
def test_help(words: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]):
    try:
        ended = main(list(words))
    except SystemExit as end:  # argparse has said all there is to say
        ended = end.code
    assert ended == code
    assert capsys.readouterr().out.startswith(says)
