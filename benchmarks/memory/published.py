"""A published retrieval set, beside plain FTS5 and bm25s in one run.

Semanlink's arXiv tags, as the package cherche carries it (MIT): 314 papers (title, abstract) ask for the tags
that a person gave them, among all tags in use. pip fetches the package's source once into the cache; none of
it is kept in this project. Or name a folder of another set in SERGEI_RETRIEVAL_SET: BEIR's form
(corpus.jsonl, queries.jsonl, qrels/test.tsv), or LoCoMo's locomo10.json (a turn is a text,
questions name their evidence).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.memory.contenders import Search, alone, memory_bank, new_folder
from memory import Entry
from memory.entry import Source

_PACKAGE, _VERSION = "cherche", "2.2.1"
_FOLDER = f"{_PACKAGE}-{_VERSION}/cherche/data/semanlink"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Texts by id, and questions with the ids of the texts that answer them. `groups` are searched apart."""

    name: str
    groups: tuple[tuple[Mapping[str, str], tuple[tuple[str, frozenset[str]], ...]], ...]


def load() -> RetrievalSet | str:
    """The set, or the reason why there is none."""
    if named := os.environ.get("SERGEI_RETRIEVAL_SET"):
        folder = Path(named)
        if (folder / "locomo10.json").is_file():
            return _locomo(json.loads((folder / "locomo10.json").read_text(encoding="utf-8")))
        if (folder / "corpus.jsonl").is_file():
            return _beir(folder)
        return f"{folder} holds neither corpus.jsonl nor locomo10.json."
    return _semanlink()


def _semanlink() -> RetrievalSet | str:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sergei" / "benchmarks"
    archive = cache / f"{_PACKAGE}-{_VERSION}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
        command.append(f"{_PACKAGE}=={_VERSION}")
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if not archive.exists():
            return f"pip could not fetch {_PACKAGE} {_VERSION}: {done.stderr.strip().splitlines()[-1:]}"
    with tarfile.open(archive) as opened:
        papers, tags = (_member(opened, f"{_FOLDER}/{name}.json") for name in ("arxiv", "tags"))
    used = {tag for paper in papers for tag in paper["tag"]}
    texts = {
        tag: " ".join((*tags[tag]["prefLabel"], *tags[tag]["altLabel"], *tags[tag]["broader_prefLabel"]))
        for tag in sorted(used)
    }
    asked = tuple(
        (f"{paper['arxiv_title']} {paper['arxiv_summary']}", frozenset(paper["tag"])) for paper in papers
    )
    return RetrievalSet("Semanlink arXiv tags", ((texts, asked),))


def _member(archive: tarfile.TarFile, name: str) -> Any:
    opened = archive.extractfile(name)
    if opened is None:
        raise FileNotFoundError(name)
    return json.load(opened)


def _beir(folder: Path) -> RetrievalSet:
    def lines(name: str) -> list[Any]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]

    texts = {one["_id"]: f"{one.get('title', '')}\n{one['text']}" for one in lines("corpus.jsonl")}
    wanted: dict[str, set[str]] = {}
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if int(row["score"]) > 0:
                wanted.setdefault(row["query-id"], set()).add(row["corpus-id"])
    asked = tuple(
        (one["text"], frozenset(wanted[one["_id"]])) for one in lines("queries.jsonl") if one["_id"] in wanted
    )
    return RetrievalSet(folder.name, ((texts, asked),))


def _locomo(conversations: Sequence[Any]) -> RetrievalSet:
    groups: list[tuple[Mapping[str, str], tuple[tuple[str, frozenset[str]], ...]]] = []
    for one in conversations:
        sessions: list[list[Any]] = [part for part in one["conversation"].values() if isinstance(part, list)]
        texts: dict[str, str] = {
            turn["dia_id"]: f"{turn['speaker']}: {turn['text']}" for session in sessions for turn in session
        }
        asked = tuple(
            (question["question"], wanted)
            for question in one["qa"]
            if (wanted := frozenset(question.get("evidence", ())) & texts.keys())
        )
        groups.append((texts, asked))
    return RetrievalSet("LoCoMo turns", tuple(groups))


def show() -> None:
    """Print recall@5 (share of the right texts among the best five) of every contender."""
    found = load()
    if isinstance(found, str):
        print(f"\npublished set: not run. {found}")
        return
    texts, asked = (sum(len(group[side]) for group in found.groups) for side in (0, 1))
    print(f"\npublished set: {found.name}, {texts} texts, {asked} questions; recall@5")
    totals: dict[str, list[float]] = {}
    for group_texts, questions in found.groups:
        with new_folder() as folder:
            entries = {key: _entry(key, text) for key, text in group_texts.items()}
            keys = {entry.id: key for key, entry in entries.items()}
            _, search = memory_bank(list(entries.values()), Path(folder) / "bank")
            ours = [_recall([keys[one] for one in search(text, {})], wanted) for text, wanted in questions]
            totals.setdefault("memory bank", []).extend(ours)
        for name, contender in alone(group_texts).items():
            if contender is not None:
                totals.setdefault(name, []).extend(_all(contender, questions))
    for name, shares in totals.items():
        print(f"  {name:<24}{sum(shares) / len(shares):7.3f}")
    if "bm25s" not in totals:
        print("  bm25s is not installed: .venv/bin/python -m pip install bm25s, and run this again")


def _all(contender: Search, questions: Sequence[tuple[str, frozenset[str]]]) -> list[float]:
    return [_recall(contender(text, {}), wanted) for text, wanted in questions]


def _recall(found: Sequence[str], wanted: frozenset[str]) -> float:
    return len(wanted & set(found)) / len(wanted)


def _entry(key: str, text: str) -> Entry:
    """An entry that holds nothing but the text."""
    bits = int.from_bytes(hashlib.sha256(key.encode()).digest()[:10], "big")
    moment = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    number = (moment << 80) | bits
    entry_id = "".join(_DIGITS[(number >> shift) & 31] for shift in range(125, -1, -5))
    return Entry(entry_id, "text", "handoffs", action=text, result="", source=Source("published set"))
