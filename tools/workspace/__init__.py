"""Files and commands of the user's project, jailed to the workspace."""

from __future__ import annotations

from tools.workspace.edit_file import edit_file
from tools.workspace.read_file import read_file
from tools.workspace.run_command import run_command
from tools.workspace.search import glob, grep

TOOLS = (read_file, grep, glob, edit_file, run_command)
