"""The parts of a page that a proof fills: the answer, the replays, the coverage, the model, the inputs."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from agent.reports.dossier import QUESTION, Dossier, listing
from agent.reports.dossier_text import undecided
from tools.rls.proof.verdict import Answer, Leak, Proof

_TONES: Final = {Answer.YES: "ERROR", Answer.NO: "GOOD", Answer.NOT_EXAMINED: "WARN"}
_OPEN: Final = 12
"""Rows of a table that need no folding."""
_MEANING: Final = {
    Answer.YES: "Each leak below happened in a scratch copy of the schema, with made-up rows.",
    Answer.NO: "Everything in scope was attacked in a scratch copy of the schema and nothing gave way.",
    Answer.NOT_EXAMINED: "Nothing gave way where it was attacked, but not everything could be.",
}


def answer(dossier: Dossier) -> str:
    """The question and the answer: the first thing on the page."""
    proof = dossier.proof
    if proof is None:
        return ""
    return (
        f'<div class="answer {_TONES[proof.answer]}"><p>{QUESTION}</p><b>{proof.answer}</b>'
        f"<p>{escape(dossier.verdict())}</p><p class=dim>{_MEANING[proof.answer]}</p></div>"
        + (
            "<p class=dim>Changes that close them and keep rightful access: <code>sergei rls fix</code>.</p>"
            if proof.leaks or proof.denied
            else ""
        )
    )


def replays(leaks: Iterable[Leak]) -> str:
    """What each actor did, and the whole script folded beneath."""
    return "".join(_replay(leak) for leak in leaks)


def _replay(leak: Leak) -> str:
    done = escape(listing(leak.attack))
    steps = f"<pre><code>{done}</code></pre>" if done else ""
    policy = f" · through {escape(leak.policy or leak.function)}" if leak.policy or leak.function else ""
    reached = escape(", ".join(leak.relations))
    head = f"<p class=dim>{escape(leak.actor)} · {escape(leak.command)} · {reached}{policy}</p>"
    script = (
        "<details><summary>Replay: the whole script</summary>"
        f"<pre><code>{escape(leak.replay.strip())}</code></pre></details>"
        if leak.replay
        else ""
    )
    return head + steps + script


def conditions(proof: Proof) -> str:
    """How far the attacks exercised the policies: every condition, and whether it decided both ways."""
    both = [c for c in proof.conditions if c.decided_true and c.decided_false]
    share = f"{len(both)} of {len(proof.conditions)} conditions decided an outcome both ways."
    rows = "".join(
        f"<tr><td>{escape(c.where)}</td><td><code>{escape(c.text)}</code></td>"
        f"<td>never decided {undecided(c.decided_true, c.decided_false)}</td></tr>"
        for c in proof.conditions
        if not (c.decided_true and c.decided_false)
    )
    head = "<tr><th>where</th><th>condition</th><th>gap</th></tr>"
    table = f'<div class="scroll"><table>{head}{rows}</table></div>' if rows else ""
    idle = len(proof.conditions) - len(both)
    if idle > _OPEN:
        table = f"<details><summary>The {idle} that did not</summary>{table}</details>"
    return (
        f"<h2>Coverage of the proof</h2><p>{share} {proof.probes:,} probes.</p>{table}"
        f"{_actors(proof)}"
        f"<p class=dim>Attacked: {escape(', '.join(proof.examined))}.</p>"
    )


def _actors(proof: Proof) -> str:
    names = "".join(f"<li>{escape(name)}</li>" for name in proof.actors)
    if len(proof.actors) <= _OPEN:
        return f"<p class=dim>Actors: {escape(', '.join(proof.actors))}.</p>"
    return f"<details><summary>The {len(proof.actors)} actors</summary><ul>{names}</ul></details>"


def model(proof: Proof) -> str:
    """Who may see what, as the proof believed it: whoever signs should read this."""
    lines = escape("\n".join(proof.model))
    doubts = "".join(f"<li>{escape(line)}</li>" for line in proof.doubts)
    unsure = f"<p>Unsure, and worth an answer in sergei.toml:</p><ul>{doubts}</ul>" if doubts else ""
    return (
        "<h2>The model that it was judged by</h2><p class=dim>A leak is what this model does not open;"
        f" where it is wrong, so is the verdict.</p>{unsure}<pre class=model>{lines}</pre>"
    )


def inputs(dossier: Dossier) -> str:
    """What the report can be checked against."""
    proof = dossier.proof
    rows = [("report", f"<code>{dossier.digest}</code>")]
    if proof:
        rows += [
            ("schema and model", f"<code>{escape(proof.inputs)}</code>"),
            ("seed", str(proof.seed)),
        ]
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f'<h2>Digests (SHA-256)</h2><dl class="digests">{body}</dl>'
