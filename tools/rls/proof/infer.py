"""The model of who may see what, read out of a snapshot: policies first, keys next, names last."""

from __future__ import annotations

import gc

from tools.rls.proof.anchors import records
from tools.rls.proof.belongings import Belongings
from tools.rls.proof.evidence import Evidence, gather
from tools.rls.proof.identities import complete
from tools.rls.proof.model import Identity, Kind, Model
from tools.rls.proof.staffing import staff_openings, staff_roles
from tools.rls.snapshot import Snapshot


def infer(snapshot: Snapshot) -> Model:
    """The model of a snapshot. Nothing is certain; `doubts` says what a person should look at.

    As in a review, the parse trees live until the end, and are not looked through for garbage meanwhile.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _infer(snapshot)
    finally:
        if collecting:
            gc.enable()


def _infer(snapshot: Snapshot) -> Model:
    evidence = gather(snapshot)
    found = records(evidence)
    staff = staff_openings(evidence, set(found.anchors))
    tables = Belongings(evidence, found, staff).all()
    doubts = [*found.doubts]
    doubts += [
        f"What are the rows of {title}? Nothing tells whose they are." for title, one in tables.items()
        if one.kind is Kind.UNCLASSIFIED
    ]  # fmt: skip
    return Model(
        identities=_identities(evidence),
        accounts=evidence.keys.account[0] if evidence.keys.account[0] in snapshot.relations else "",
        anchors=found.anchors,
        openings=(*found.openings, *staff),
        tables=tables,
        staff=staff_roles(evidence, staff),
        constants={place: tuple(values) for place, values in sorted(evidence.constants.items())},
        claim_values={
            identity.path: tuple(values)
            for identity, values in sorted(evidence.claims.items(), key=lambda item: item[0].path)
            if identity.kind == "claim"
        },
        carried=dict(found.carried),
        doubts=tuple(doubts),
    )


def _identities(evidence: Evidence) -> tuple[Identity, ...]:
    found = [one for one in evidence.identities if complete(one)]
    return tuple(sorted(found, key=lambda one: (one.kind != "uid", one.kind, one.path)))
