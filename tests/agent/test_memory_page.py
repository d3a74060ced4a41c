"""The page of the memory bank: everything on it, nothing that runs but its own script, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

from agent.reports.memory_markdown import document
from agent.reports.memory_page import page
from memory import Draft, Entry, Outcome, starter_bank
from memory.draft import to_entry
from memory.ulid import tail

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"'"


class Seen(HTMLParser):
    """The tags of a page with their attributes, and the articles by id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def articles(self) -> dict[str, dict[str, str | None]]:
        return {str(attrs["id"]): attrs for tag, attrs in self.tags if tag == "article"}


def entry(title: str, **more: object) -> Entry:
    draft = Draft(title, "problem-solutions", "Did it as told.", "It took 14 ms.")
    return replace(to_entry(draft, source="a test", now=NOW), **more)  # pyright: ignore[reportArgumentType]  fields


def article(text: str, one: Entry) -> str:
    found = re.search(rf'<article [^>]*id="{tail(one.id)}".*?</article>', text, re.DOTALL)
    assert found
    return found.group()


def test_every_entry_is_on_it_with_its_category_and_status():
    entries = starter_bank().entries()
    seen = Seen(page(entries, NOW)).articles()
    assert set(seen) == {tail(one.id) for one in entries}
    for one in entries:
        assert seen[tail(one.id)]["data-category"] == one.category
        assert seen[tail(one.id)]["data-status"] == "active"


def test_what_must_be_known_stands_outside_the_fold():
    old = entry("The old way")
    new = entry("The new way", supersedes=(old.id,))
    failed = entry("It failed", outcomes=(Outcome(NOW, "deploy 7", "failed", f"Out of memory {EVIL}"),))
    late = entry("Late", valid_until=date(2030, 5, 1))
    gone = entry("Gone", status="retired", retired_because="The worker is gone.")
    text = page([old, new, failed, late, gone], NOW, left_out=2)
    fronts = {one.title: article(text, one).partition("<details>")[0] for one in (old, failed, late, gone)}
    assert f'<a href="#{tail(new.id)}">The new way</a>' in fronts["The old way"]
    assert 'data-status="superseded"' in fronts["The old way"]
    assert "Beware." in fronts["It failed"] and "(deploy 7)" in fronts["It failed"]
    assert "Out of memory &lt;script&gt;" in fronts["It failed"]
    assert 'data-status="active expired"' in fronts["Late"] and "valid until 2030-05-01" in fronts["Late"]
    assert "Retired: The worker is gone." in fronts["Gone"]
    assert "5 entries" in text and "2 with a problem left out" in text


def test_nothing_of_an_entry_counts_as_html():
    one = entry(
        EVIL,
        action=f"{EVIL}\n\n[go](javascript:alert(3)) ![pic](https://example.org/x.png)\n\n```\n</code>{EVIL}\n```",
        context=EVIL, why=EVIL, preamble=EVIL, tags=(EVIL,), applies_to={EVIL: (EVIL,)},
    )  # fmt: skip
    tags = Seen(page([one], NOW)).tags
    assert [tag for tag, _ in tags].count("script") == 1
    assert not {"img", "iframe", "link", "object", "form"} & {tag for tag, _ in tags}
    assert not any(name.startswith("on") for _, attrs in tags for name in attrs)
    assert not any(str(attrs.get("href", "")).startswith("javascript") for _, attrs in tags)


def test_only_its_own_style_and_script_may_run_and_nothing_is_fetched():
    text = page(starter_bank().entries(), NOW)
    policy = next(
        str(attrs["content"])
        for tag, attrs in Seen(text).tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for tag in ("style", "script"):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [attrs for _, attrs in Seen(text).tags if attrs.get("src") or "style" in attrs]
    assert "url(" not in text and "@import" not in text


def test_without_entries_it_says_so():
    assert re.search(r'id="nothing" *>No entry fits', page([], NOW))


def test_as_markdown_headings_are_two_levels_down_and_code_is_left_alone():
    old = entry("The old way", action="Run:\n\n~~~sh\n# a comment\n```\n# still\n~~~\n\n# A heading")
    new = entry("The new way", supersedes=(old.id,))
    text = document([old, new], NOW)
    lines = text.splitlines()
    assert lines[0] == "# Memory bank" and "## problem-solutions" in lines and "### The old way" in lines
    assert "# a comment" in lines and "# still" in lines and "### A heading" in lines
    assert f"Superseded by {tail(new.id)}." in lines
