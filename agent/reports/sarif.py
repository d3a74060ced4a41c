"""A review as SARIF 2.1.0, for code scanning services."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from agent.reports.dossier import Dossier
from tools.findings import Finding, Level, Rule
from tools.review import Review

HEADINGS: Final = ("What it finds", "Why it matters", "Fix", "When to ignore")
_LEVELS: Final = {Level.ERROR: "error", Level.WARN: "warning", Level.INFO: "note"}


def dossier_sarif(dossier: Dossier, rules: tuple[Rule[Any], ...]) -> str:
    """The report as one run: with a baseline each result says whether it is new, with a proof how it ended.

    What is fixed is left out: code scanning services show an `absent` result as if it were there.
    """
    standing, proof = dossier.standing, dossier.proof
    states = {f.cache_key: "unchanged" for f in standing.known} if standing else {}
    states |= {f.cache_key: "updated" for f in standing.worse} if standing else {}
    states |= {f.cache_key: "new" for f in standing.new} if standing else {}
    run = _run(dossier.review, rules, dossier.version)
    for result, finding in zip(run["results"], dossier.review.findings, strict=True):
        if standing:
            result["baselineState"] = states[finding.cache_key]
        leaks = dossier.leaks.get((finding.rule, finding.object), [])
        if leaks:
            result["properties"] = {
                "actors": [leak.actor for leak in leaks],
                "replay": [leak.replay for leak in leaks],
            }
    run["properties"] |= {"digest": dossier.digest}
    if proof:
        run["properties"] |= {"answer": proof.answer, "seed": proof.seed, "inputs": proof.inputs}
    return _document(run)


def sarif(review: Review, rules: tuple[Rule[Any], ...], version: str) -> str:
    """One run; every rule that was looked at is described, so that a clean run shows what was examined."""
    return _document(_run(review, rules, version))


def _run(review: Review, rules: tuple[Rule[Any], ...], version: str) -> dict[str, Any]:
    index = {rule.name: number for number, rule in enumerate(rules)}
    return {
        "tool": {"driver": {"name": "Sergei", "version": version, "rules": [_rule(rule) for rule in rules]}},
        "automationDetails": {"id": f"sergei/{review.target}/"},
        "results": [_result(finding, index) for finding in review.findings],
        "properties": {"notExamined": [gap.model_dump() for gap in review.coverage.not_examined]},
    }


def _document(run: dict[str, Any]) -> str:
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
    # Code scanning drops results without a file; what is in none gets a path of its own.
    folder = "render" if finding.domain == "render" else "database"
    uri = quote(finding.file or f"{folder}/{finding.object}", safe="/.")
    location = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": finding.line or 1},
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
