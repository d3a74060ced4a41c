"""Features that do not exist yet, as CREATE TABLE: four ways in which records belong to people."""

from __future__ import annotations

from typing import Final

FAMILY: Final = """
create table public.family_profiles (
  id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users (id),
  name text not null, archived_at timestamptz
);
create table public.family_profile_grants (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.family_profiles (id),
  grantee_id uuid not null references auth.users (id), granted_by uuid not null references auth.users (id),
  level text not null check (level in ('read', 'write', 'manage')),
  status text not null default 'pending' check (status in ('pending', 'active', 'revoked')),
  expires_at timestamptz, accepted_at timestamptz
);
create table public.family_notes (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.family_profiles (id),
  body text, written_by uuid references auth.users (id)
);
create table public.family_note_files (
  id uuid primary key default gen_random_uuid(),
  note_id uuid not null references public.family_notes (id), path text
);
"""
"""An owner, grants with a level, a status and an expiry, rows one and two keys away."""

HOUSEHOLD: Final = """
create table public.households (id uuid primary key default gen_random_uuid(), name text not null);
create table public.household_members (
  household_id uuid not null references public.households (id),
  user_id uuid not null references auth.users (id),
  role text not null default 'member' check (role in ('admin', 'member')), left_at timestamptz,
  primary key (household_id, user_id)
);
create table public.chores (
  id uuid primary key default gen_random_uuid(),
  household_id uuid not null references public.households (id), title text not null
);
"""
"""Nobody owns it; members belong to it until they left."""

CAREGIVERS: Final = """
create table public.profiles (id uuid primary key references auth.users (id), full_name text);
create table public.patient_caregivers (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.profiles (id),
  caregiver_id uuid not null references public.profiles (id),
  status text not null default 'pending' check (status in ('pending', 'accepted', 'revoked')),
  can_write boolean not null default false
);
create table public.vitals (
  id uuid primary key default gen_random_uuid(),
  patient_id uuid not null references public.profiles (id), kind text not null, value numeric not null
);
"""
"""The account is the record; caregivers are let in, some may write."""

TODO: Final = """
create table public.todos (
  id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users (id), title text
);
create table public.todo_items (
  id uuid primary key default gen_random_uuid(),
  todo_id uuid not null references public.todos (id) on delete cascade, title text
);
create table public.categories (code text primary key, title text not null);
"""
"""Rows of one person, and a list that is the same for everybody."""

FEATURES: Final = {"family": FAMILY, "household": HOUSEHOLD, "caregivers": CAREGIVERS, "todo": TODO}
