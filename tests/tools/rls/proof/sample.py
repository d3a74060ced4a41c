"""A small schema with three faults, and the proof that a prover would give of it."""

from __future__ import annotations

from typing import Any, Final

from tools.findings import Level
from tools.review import Gap
from tools.rls.proof.verdict import Answer, Condition, Kind, Leak, Proof

SCHEMA: Final = """
create table public.profiles (id uuid primary key, owner_id uuid not null);
create table public.notes (
  id int primary key, profile_id uuid not null references public.profiles, body text);
alter table public.profiles enable row level security;
alter table public.notes enable row level security;
grant select, insert, update, delete on public.profiles, public.notes to authenticated;
create policy own on public.profiles to authenticated using (owner_id = auth.uid());
create policy notes_read on public.notes for select to authenticated using (true);
create policy notes_write on public.notes for insert to authenticated with check (body <> '');
create policy notes_remove on public.notes for delete to authenticated using (false);
create function public.note_of(wanted int) returns text language sql stable security definer
  set search_path = '' as $$ select body from public.notes where id = wanted $$;
grant execute on function public.note_of(int) to authenticated;
create function public.wipe(wanted int) returns void language sql volatile security definer
  set search_path = '' as $$ delete from public.notes where id = wanted $$;
grant execute on function public.wipe(int) to authenticated;
"""
MEND: Final = """
alter policy notes_read on public.notes
  using (exists (select from public.profiles p where p.id = profile_id and p.owner_id = auth.uid()));
alter policy notes_write on public.notes
  with check (exists (select from public.profiles p where p.id = profile_id and p.owner_id = auth.uid()));
alter policy notes_remove on public.notes
  using (exists (select from public.profiles p where p.id = profile_id and p.owner_id = auth.uid()));
revoke execute on function public.note_of(int) from public, authenticated, anon;
drop function public.wipe(int);
"""
OWNER: Final = "00000000-0000-4000-8000-000000000001"
STRANGER: Final = "00000000-0000-4000-8000-000000000002"
PROFILE: Final = "00000000-0000-4000-8000-00000000000a"
SEED: Final = (
    f"insert into public.profiles values ('{PROFILE}', '{OWNER}')",
    f"insert into public.notes values (1, '{PROFILE}', 'it''s $sql$ 100% \\ private')",
)


def acting(account: str) -> tuple[str, ...]:
    """Become an account."""
    claims = f'{{"sub": "{account}", "role": "authenticated"}}'
    return (
        "set local role authenticated",
        f"select set_config('request.jwt.claims', '{claims}', true)",
    )


def leak(kind: Kind, place: str, sentence: str, attack: tuple[str, ...], **more: Any) -> Leak:
    """A leak with its replay made from its steps."""
    fields: dict[str, Any] = {
        "kind": kind,
        "level": Level.ERROR,
        "object": place,
        "sentence": sentence,
        "actor": "stranger",
        "command": "SELECT",
        "relations": ("public.notes",),
        "seed": SEED,
        "acting": acting(STRANGER),
        "attack": attack,
        **more,
    }
    steps = ("begin", *fields["seed"], *fields["acting"], *attack, "rollback")
    return Leak(replay=";\n".join(steps) + ";", **fields)


READ: Final = leak(
    Kind.READ,
    "policy notes_read on public.notes",
    "Any signed-in account reads a note of a profile that is not his.",
    ("select * from public.notes where id = 1",),
    policy="notes_read",
)
WRITE: Final = leak(
    Kind.ESCALATION,
    "policy notes_write on public.notes",
    "Any signed-in account writes notes into a profile that is not his.",
    (
        f"insert into public.notes values (2, '{PROFILE}', 'x')",
        f"insert into public.notes values (3, '{PROFILE}', 'y')",
    ),
    command="INSERT",
    policy="notes_write",
)
CALL: Final = leak(
    Kind.CALL,
    "public.note_of(int)",
    "Any signed-in account has another's note returned.",
    ("select public.note_of(1)",),
    command="EXECUTE",
    function="public.note_of(int)",
    expect="value",
)
HARM: Final = leak(
    Kind.CALL,
    "public.wipe(int)",
    "Any signed-in account deletes another's note.",
    ("select public.wipe(1)",),
    command="EXECUTE",
    function="public.wipe(int)",
    expect="witness",
    witness="select where not exists (select from public.notes where id = 1)",
)
DENIED: Final = leak(
    Kind.DENIED,
    "policy notes_remove on public.notes",
    "The owner cannot delete his own note.",
    ("delete from public.notes where id = 1",),
    command="DELETE",
    acting=acting(OWNER),
    actor="owner",
    policy="notes_remove",
)


def proof(**changes: Any) -> Proof:
    """The proof of SCHEMA, with `changes`."""
    fields: dict[str, Any] = {
        "target": "clinic@sandbox (unix socket)",
        "answer": Answer.YES,
        "leaks": (READ, WRITE, CALL, HARM),
        "denied": (DENIED,),
        "notes": (),
        "gaps": (Gap(what="public.scans", why="its column embedding has a type that the sandbox lacks"),),
        "conditions": (
            Condition(
                where="policy own on public.profiles",
                text="owner_id = auth.uid()",
                decided_true=True,
                decided_false=True,
            ),
            Condition(
                where="policy notes_write on public.notes",
                text="body <> ''",
                decided_true=True,
                decided_false=False,
            ),
        ),
        "model": ("1 table belongs to public.profiles by profile_id: notes",),
        "doubts": ("public.plans: whose are its rows?",),
        "examined": ("2 tables", "4 policies"),
        "actors": ("anon", "stranger", "owner"),
        "probes": 412,
        "seed": 7,
        "seconds": 1.2,
        "inputs": "9f" * 32,
    }
    return Proof(**{**fields, **changes})
