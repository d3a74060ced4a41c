-- A small clinic, all of it invented. Every value of a person contains "Quill" or one of the planted words.
create schema staff_only;
create type public.visit_status as enum ('planned', 'done');
create table public.codes (code text primary key, display text not null, price numeric);
create table public.profiles (
  id uuid primary key default gen_random_uuid(),
  full_name text not null,
  email text,
  dob date,
  is_minor boolean not null default false,
  status text not null check (status in ('active', 'archived')),
  details jsonb,
  tags text[],
  photo bytea,
  score integer,
  created_at timestamptz not null default now()
);
comment on table public.profiles is 'People of the clinic';
create table public.visits (
  id bigint generated always as identity primary key,
  profile_id uuid not null references public.profiles (id) on delete cascade,
  code text references public.codes (code),
  state public.visit_status not null default 'planned',
  remark text,
  happened_on date
) ;
create index visits_profile on public.visits (profile_id);
create table public.readings (at date not null, profile_id uuid not null, level int) partition by range (at);
create table public.readings_2025 partition of public.readings for values from ('2025-01-01') to ('2026-01-01');
create table public.readings_2026 partition of public.readings for values from ('2026-01-01') to ('2027-01-01');
create sequence public.ticket;
alter table public.profiles enable row level security;
create policy own_rows on public.profiles for select
  using (id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid);
create policy keep_out on public.profiles as restrictive for delete using (false);
create view public.names as select id, full_name as label, status, upper(full_name) as loud from public.profiles;
create view public.names_again as select label, status from public.names;
create view public.code_list as select code, display from public.codes;
create materialized view public.roster as select full_name, status from public.profiles;
create table public.touched (n int);
insert into public.touched values (0);

create function public.bump() returns int language sql volatile as 'update public.touched set n = n + 1 returning n';
create function public.stable_bump() returns int language plpgsql stable as
  $$ begin perform pg_advisory_lock(77); return 1; end $$;
create function public.dynamic(q text) returns text language plpgsql stable as
  $$ declare r text; begin execute q into r; return r; end $$;
create function public.name_of(p public.profiles) returns text language sql volatile as
  'insert into public.touched values (99); select p.full_name';
create function public.pure(x int) returns int language sql immutable as 'select x + 1';
create function public.first_name() returns text language sql stable as 'select full_name from public.profiles limit 1';
create function public.shout(a int, b int) returns int language plpgsql volatile as
  $$ begin update public.touched set n = n + 1; return a; end $$;
create operator public.@!@ (leftarg = int, rightarg = int, function = public.shout);
create aggregate public.loud_sum (int) (sfunc = public.shout, stype = int, initcond = '0');
create function public.touch_it(int) returns boolean language plpgsql volatile as
  $$ begin update public.touched set n = n + 1; return true; end $$;
create domain public.checked as int check (public.touch_it(value));
create view public.trap as select public.bump() as n;
create function public.whisper() returns int language plpgsql stable as
  $$ begin raise notice 'patient %', (select full_name from public.profiles limit 1); return 1; end $$;
create function public.complain() returns int language plpgsql stable as
  $$ begin raise exception 'patient %', (select full_name from public.profiles limit 1)
     using detail = 'Quill', hint = 'Quill', errcode = '42501'; end $$;
create function public.audit_it() returns trigger language plpgsql as
  $$ begin update public.touched set n = n + 1; return null; end $$;
create trigger visits_touch after insert or update or delete on public.visits
  for each statement execute function public.audit_it();
create function staff_only.definer(x int) returns int language sql security definer set search_path = '' as 'select x';
revoke all on function staff_only.definer(int) from public;

insert into public.codes values ('E11', 'Type 2 diabetes', 9.50), ('J45', 'Asthma', 12), ('Z00', 'Check-up', 0);
insert into public.profiles (full_name, email, dob, is_minor, status, details, tags, photo, score)
select format('Quill Person%s', i), format('quill%s@example.org', i), date '1961-07-23' + i, i % 5 = 0,
       case when i % 4 = 0 then 'archived' else 'active' end,
       jsonb_build_object('nickname', format('Quillie%s', i)), array[format('Quilltag%s', i)],
       convert_to(format('Quillbytes%s', i), 'UTF8'), 700100 + i
from generate_series(1, 40) as i;
insert into public.visits (profile_id, code, state, remark, happened_on)
select p.id, (array['E11', 'J45', 'Z00'])[1 + (row_number() over (order by full_name))::int % 3], 'done',
       'Quill said ' || full_name, date '1961-07-23'
from public.profiles p;
insert into public.readings select date '2025-06-01', id, 5 from public.profiles;
refresh materialized view public.roster;
analyze;
