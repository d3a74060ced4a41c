"""The nine requests: word for word, and honest about what the tools can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import prompts
from tests.prompts.test_system_prompt import TOOLS

WORD_FOR_WORD = (
    "Sergei, optimize the patient data queries",
    "Help me design RLS for the new family profiles feature",
    "Review the database migration for healthcare journey",
    "Sergei, deploy the latest document processing changes",
    "Monitor infrastructure performance during peak usage",
    "Set up automated backups for the clinical data",
    "Sergei, audit the new data access patterns",
    "Review security for the multi-profile system",
    "Implement encryption for sensitive medical fields",
)
BEYOND_THIS_BUILD = ("deploy-document-processing", "monitor-peak-usage", "automate-clinical-backups")
ALL = prompts.requests()


def test_the_nine_requests_are_offered_in_order_word_for_word() -> None:
    assert tuple(request.title for request in ALL) == WORD_FOR_WORD


def test_the_list_and_the_folder_hold_the_same_requests() -> None:
    folder = Path(prompts.__file__).parent / "requests"
    assert sorted(prompts.REQUESTS) == sorted(file.stem for file in folder.iterdir())
    assert tuple(request.name for request in ALL) == prompts.REQUESTS


@pytest.mark.parametrize("request_", ALL, ids=prompts.REQUESTS)
def test_the_text_opens_with_the_request_itself(request_: prompts.Request) -> None:
    assert request_.text.startswith(request_.title + "\n")
    assert len(request_.text) < 3_500


@pytest.mark.parametrize("request_", ALL, ids=prompts.REQUESTS)
def test_a_request_names_only_tools_that_exist_and_uses_several(request_: prompts.Request) -> None:
    quoted = set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", request_.text))
    elsewhere = {
        "anon",
        "authenticated",
        "service_role",
        "security_invoker",
        "user_metadata",
        "pg_stat_statements",
        "max_connections",
    }
    assert quoted - elsewhere <= set(TOOLS)
    assert len(quoted & set(TOOLS)) >= 6
    assert "remember" in quoted


@pytest.mark.parametrize("name", BEYOND_THIS_BUILD)
def test_a_request_beyond_this_build_says_so_first_and_lists_what_is_unchecked(name: str) -> None:
    text = next(request.text for request in ALL if request.name == name)
    opening = text.split("\n")[2]
    assert opening.startswith("Say first: ")
    assert "no " in opening and "tools" in opening
    assert re.search(r"unchecked|did not see|unproven", text.rsplit("\n\n", 1)[1])


@pytest.mark.parametrize("request_", ALL, ids=prompts.REQUESTS)
def test_a_change_is_never_told_to_happen_without_a_yes(request_: prompts.Request) -> None:
    for line in request_.text.splitlines():
        if "through `change_sql`" in line:
            assert re.search(r"a yes|its own yes|one at a time", line), line


def test_a_title_may_hold_a_colon_and_quotes() -> None:
    source = '---\nname: a\ntitle: He said: "no"\ndescription: x: y\n---\nThe text.\n\n---\nstill the text\n'
    request = prompts.parse_request(source)
    assert request.title == 'He said: "no"'
    assert request.text == "The text.\n\n---\nstill the text\n"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "no front matter",
        "---\nname: a\ntitle: b\n---\ntext",
        "---\nname: a\ntitle: b\ndescription: c\n---\n  \n",
        "---\nname: a\ntitle: b\ndescription: c\nextra: d\n---\ntext",
        "---\nname: a\ntitle:b\ndescription: c\n---\ntext",
        "before\n---\nname: a\ntitle: b\ndescription: c\n---\ntext",
    ],
)
def test_a_damaged_request_is_named_as_such(source: str) -> None:
    with pytest.raises(prompts.PromptMalformed):
        prompts.parse_request(source)
