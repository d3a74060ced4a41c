"""A review as SARIF 2.1.0, for code scanning services."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from tools.findings import Finding, Level, Rule
from tools.review import Review

HEADINGS: Final = ("What it finds", "Why it matters", "Fix", "When to ignore")
_LEVELS: Final = {Level.ERROR: "error", Level.WARN: "warning", Level.INFO: "note"}


def sarif(review: Review, rules: tuple[Rule[Any], ...], version: str) -> str:
    """One run; every rule that was looked at is described, so that a clean run shows what was examined."""
    index = {rule.name: number for number, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "Sergei", "version": version, "rules": [_rule(rule) for rule in rules]}},
        "automationDetails": {"id": f"sergei/{review.target}/"},
        "results": [_result(finding, index) for finding in review.findings],
        "properties": {"notExamined": [gap.model_dump() for gap in review.coverage.not_examined]},
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2)


def _rule(rule: Rule[Any]) -> dict[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.doc.strip(), "markdown": _markdown(rule.doc)},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
    }


def _markdown(doc: str) -> str:
    """A rule's documentation with its headings marked; indented text would become code."""
    lines = [line.strip() for line in doc.strip().splitlines()]
    return "\n".join(f"**{line}**\n" if line in HEADINGS else line for line in lines)


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    text = finding.message if not finding.fix else f"{finding.message}\n\nFix:\n{finding.fix}"
    location = {
        # Code scanning drops results without a file; a database object gets a path of its own.
        "physicalLocation": {
            "artifactLocation": {"uri": "database/" + quote(finding.object, safe="/.")},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"fullyQualifiedName": finding.object, "kind": "member"}],
    }
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.level],
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"sergei/v1": finding.cache_key},
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    return result
