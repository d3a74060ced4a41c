"""Documents that are made from the code say what the code says."""

from __future__ import annotations

import re

from agent.cli import build_parser
from tests.documents import README, REFRESH, documents
from tools import catalogue
from tools.rls.rules import RULES


def test_generated_texts_are_up_to_date():
    stale = [doc.path.name for doc in documents() if doc.path.read_text(encoding="utf-8") != doc.text]
    assert stale == [], f"refresh them: {REFRESH}"


def test_the_readme_names_every_tool_rule_and_command():
    text = README.read_text(encoding="utf-8")
    names = [*catalogue(), *(rule.name for rule in RULES)]
    assert [name for name in names if name not in text] == []


def test_commands_in_the_readme_are_real():
    text = README.read_text(encoding="utf-8")
    known = set(re.findall(r"^    ([\w-]+) ", build_parser().format_help(), flags=re.MULTILINE))
    assert set(re.findall(r"`?sergei (\w[\w-]*)", text)) <= known
    for flag in re.findall(r"sergei review ([^\n`]*)", text):
        build_parser().parse_args(["review", *flag.replace('"$URL"', "URL").split()])


def test_the_settings_in_the_readme_load():
    import tomllib

    from agent.settings import ProjectFile

    block = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    assert ProjectFile.model_validate(tomllib.loads(block[1])).target.project == "guardian"
