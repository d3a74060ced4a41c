"""Progress is for a person at a terminal, on one line that is gone at the end."""

from __future__ import annotations

from io import StringIO

from agent.commands.progress import progress_line


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_that_is_wiped():
    terminal = Terminal()
    with progress_line(terminal) as show:
        show("copying the schema ...")
        show("x" * 500)
    assert terminal.getvalue().startswith("\r\x1b[2K  copying the schema ...\r\x1b[2K  xxx")
    assert terminal.getvalue().endswith("x\r\x1b[2K") and "\n" not in terminal.getvalue()
    assert "x" * 101 not in terminal.getvalue()


def test_a_file_or_a_pipe_sees_nothing():
    pipe = StringIO()
    with progress_line(pipe) as show:
        show("copying the schema ...")
    assert pipe.getvalue() == ""
