"""Everybody who calls in a world: anon, a stranger, owners, holders alive and ended, staff, forgers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.rls.proof.actors import Actor, Spec
from tools.rls.proof.model import Identity, Model
from tools.rls.proof.population import Population
from tools.rls.proof.side import Side
from tools.rls.snapshot import Snapshot


def cast(population: Population) -> list[Actor]:
    """The actors of a world. Strangers come first: what anybody can do is the gravest."""
    world, model = population.world, population.model
    a, b = world.sides[0], world.sides[1]
    emails = {row.values.get("id"): row.values.get("email") for row in world.rows.get(model.accounts, ())}
    made = _Maker(population.snapshot, model, emails)
    actors: list[Actor] = []
    if population.snapshot.supabase:
        actors.append(Actor("anon", "anon", claims={"role": "anon"}))
    stranger = population.account()
    for role in made.roles:
        actors.append(made.actor("stranger", role, stranger))
        for number, forged in enumerate(_forged(model, a), start=1):
            name = f"stranger who edited the own user_metadata ({number})"
            actors.append(made.actor(name, role, stranger, metadata=forged))
        actors.append(made.actor(f"owner of {b.name}", role, b.account, tenant=b))
        actors.append(made.actor(f"owner of {a.name}", role, a.account, tenant=a))
        for account, spec in world.holders.items():
            if account in population.staff:
                continue
            actors.append(made.actor(spec.text(), role, account, spec=spec, tenant=a))
        lapsed = [side for side in world.sides if side.lapsed]
        actors += [made.actor(f"owner of {side.name}", role, side.account, tenant=side) for side in lapsed]
        actors += made.staff(population, stranger, role)
    return actors


def callers(snapshot: Snapshot) -> list[str]:
    """The roles that signed-in people arrive as.

    Roles belong to the server: those that may do nothing here belong to some other database.
    """
    if snapshot.supabase:
        return ["authenticated"]
    found = [r.name for r in snapshot.callers if any(snapshot.may(r, one) for one in snapshot.tables)]
    return found[:3]


class _Maker:
    def __init__(self, snapshot: Snapshot, model: Model, emails: Mapping[str | None, str | None]) -> None:
        self.model = model
        self.emails = emails
        self.supabase = snapshot.supabase
        self.roles = callers(snapshot)
        self.tenant_claims: dict[str, list[Identity]] = {
            anchor.table: list(anchor.claims) for anchor in model.anchors.values() if anchor.claims
        }
        for identity, table in model.carried.items():
            if table in model.anchors:
                self.tenant_claims.setdefault(table, []).append(identity)

    def actor(
        self,
        name: str,
        role: str,
        account: str,
        *,
        spec: Spec | None = None,
        tenant: Side | None = None,
        metadata: Mapping[str, Any] | None = None,
        claims: Mapping[str, str] | None = None,
        staff: str = "",
    ) -> Actor:
        """One caller with the claims that a token of his would carry, also a stale one."""
        if len(self.roles) > 1:
            name = f"{name} as {role}"
        found: dict[str, Any] = {}
        settings: dict[str, str] = {}
        if self.supabase:
            found = {
                "sub": account,
                "role": role,
                "aud": "authenticated",
                "email": self.emails.get(account) or f"{account[:8]}@example.test",
                "aal": "aal1",
                "app_metadata": {},
                "user_metadata": dict(metadata or {}),
            }
        for identity in self.model.identities:
            if identity.kind == "setting":
                settings[identity.path[0]] = account
        for table, identities in self.tenant_claims.items():
            key = self._key(tenant, table)
            for identity in identities:
                if identity.kind == "setting":
                    settings[identity.path[0]] = key
                elif identity.kind == "claim" and key:
                    place(found, identity.path, key)
        for path, value in (claims or {}).items():
            place(found, tuple(path.split(".")), value)
        return Actor(name, role, account, found, settings, spec, staff, forger=bool(metadata))

    def _key(self, tenant: Side | None, table: str) -> str:
        record = tenant.records.get(table) if tenant else None
        anchor = self.model.anchors[table]
        return (record.values.get(anchor.key) or "") if record else ""

    def staff(self, population: Population, stranger: str, role: str) -> Iterator[Actor]:
        """Every staff role alive, and with a token that outlived the row, or never had one."""
        for one in self.model.staff:
            held = [
                (account, live)
                for account, (name, opening, live) in population.staff.items()
                if opening.partition(".")[0] == one.opening.rpartition(".")[2]
                and (not name or name == one.name or len(self.model.staff) == 1)
            ]
            for account, live in held:
                if live:
                    yield self.actor(f"staff {one.name}", role, account, claims=one.claims, staff=one.name)
                    yield self.actor(f"staff {one.name} without its claims", role, account, staff=one.name)
                else:
                    spec = population.world.holders.get(account)
                    why = spec.text() if spec else "ended"
                    yield self.actor(f"former staff {one.name} ({why})", role, account, claims=one.claims)
            if one.opening:
                yield self.actor(f"{one.name} by token only", role, stranger, claims=one.claims)
            else:
                yield self.actor(f"staff {one.name}", role, stranger, claims=one.claims, staff=one.name)
            if len(one.claims) > 1:
                for missing in one.claims:
                    rest = {path: value for path, value in one.claims.items() if path != missing}
                    account = next((account for account, live in held if live), stranger)
                    yield self.actor(f"{one.name} without {missing}", role, account, claims=rest)
        if not self.model.staff:
            for account, (name, opening, live) in population.staff.items():
                words = f"staff {name or opening}" if live else f"former staff {name or opening}"
                yield self.actor(words, role, account, staff=(name or opening) if live else "")


def _forged(model: Model, side: Side) -> Iterator[dict[str, Any]]:
    """user_metadata as a stranger would write it: every value that some policy looks for."""
    paths = {path: values for path, values in model.claim_values.items() if "user_metadata" in path}
    for identity in model.identities:
        if identity.forged:
            keys = tuple(
                record.values.get(model.anchors[table].key) or "" for table, record in side.records.items()
            )
            paths[identity.path] = (*paths.get(identity.path, ()), *keys, side.account)
    most = max((len(values) for values in paths.values()), default=0)
    for number in range(min(most, 6)):
        claims: dict[str, Any] = {}
        for path, values in paths.items():
            if values:
                place(claims, path[path.index("user_metadata") + 1 :], values[number % len(values)])
        yield claims


def place(claims: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a value deep inside claims."""
    for step in path[:-1]:
        claims = claims.setdefault(step, {})
    if path:
        claims[path[-1]] = value
