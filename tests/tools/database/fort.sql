-- What a hostile statement may try to reach, all of it invented: lying labels, hidden calls, planted secrets.
set check_function_bodies = off;
create schema vault;
create schema evil;
create extension dblink;
create extension pgcrypto;
create extension pg_trgm;
create extension citext;
create extension hstore;
create extension tablefunc;
create extension pageinspect;
create extension pg_visibility;
create extension pg_surgery;
create extension pgrowlocks;
create extension pg_prewarm;
create extension pg_buffercache;
create extension amcheck;
create extension file_fdw;
create extension postgres_fdw;
create extension pg_stat_statements;
create extension lo;
create extension intarray;

create table public.marks (id int primary key, n int not null default 0, note text);
insert into public.marks select i, 0, 'note ' || i from generate_series(1, 20) i;
create table public.docs (id int primary key, body text, tags text[], data jsonb, at timestamptz default now());
insert into public.docs select i, 'a text about topic ' || i, array['t' || i], jsonb_build_object('k', i)
from generate_series(1, 30) i;
create sequence public.ticker;
create table public.people (id int primary key, full_name text, owner name default current_user);
insert into public.people values (1, 'Quill One', 'nobody'), (2, 'Quill Two', 'nobody');
create table vault.decrypted_secrets (name text, decrypted_secret text);
insert into vault.decrypted_secrets values ('key', 'PLANTED-SECRET');
create table public.parted (id int, at date) partition by range (at);
create table public.parted_1 partition of public.parted for values from ('2025-01-01') to ('2026-01-01');

-- functions that say they are harmless
create function public.plain_bump() returns int language sql volatile as
  'update public.marks set n = n + 1 where id = 1 returning n';
create function public.says_immutable() returns int language plpgsql immutable as
  $$ begin perform pg_advisory_lock(901); return 1; end $$;
create function public.kills(p int) returns boolean language sql immutable as 'select pg_terminate_backend(p)';
create function public.cancels(p int) returns boolean language plpgsql stable as
  $$ begin return pg_catalog . pg_cancel_backend (p); end $$;
create function public.commented() returns int language plpgsql immutable as
  $$ begin perform pg_advisory_lock/* a comment */ -- and more
     (902); return 1; end $$;
create function public.quoted() returns int language plpgsql immutable as
  $$ begin perform "pg_catalog"."pg_advisory_lock"(903); return 1; end $$;
create function public.escaped() returns int language plpgsql immutable as
  $$ begin perform U&"\0070g_advisory_lock"(904); return 1; end $$;
create function public.atomic_one() returns void language sql immutable
  begin atomic select pg_advisory_lock(905); end;
create function public.outermost() returns int language sql stable as 'select public.middle()';
create function public.says_stable_notify() returns int language plpgsql stable as
  $$ begin perform pg_notify('alarm', 'x'); return 1; end $$;
create function public.middle() returns int language sql stable as 'select public.says_immutable()';
create function public.notifies() returns int language plpgsql as $$ begin notify alarm, 'x'; return 1; end $$;
create function public.sets() returns text language sql stable as
  $$ select set_config('session_replication_role', 'replica', false) $$;
create function public.dials() returns text language sql immutable as
  $$ select dblink_exec('dbname=' || current_database(), 'update public.marks set n = 77') $$;
create function public.dynamic_one(q text) returns text language plpgsql stable as
  $$ declare r text; begin execute q into r; return r; end $$;
create function public.dynamic_for(q text) returns setof text language plpgsql stable as
  $$ declare r record; begin for r in execute q loop return next r::text; end loop; end $$;
create function public.dynamic_query(q text) returns setof int language plpgsql stable as
  $$ begin return query execute q; end $$;
create function public.open_execute(q text) returns int language plpgsql stable as
  $$ declare c refcursor; r record; begin open c for execute q; fetch c into r; return 1; end $$;
create function public.locks_table() returns int language plpgsql stable as
  $$ begin lock table public.marks in access share mode; return 1; end $$;
create function public.with_default(a int default public.says_immutable()) returns int language sql immutable as
  'select a';
create function public.default_locks(a text default pg_advisory_lock(907)::text) returns int
  language sql immutable as 'select 1';
create function public.late() returns int language plpgsql stable set search_path = evil as
  $$ begin return helper(); end $$;
create function public.helper() returns int language sql immutable as 'select 1';
create function evil.helper() returns int language sql immutable as 'select pg_advisory_lock(908); select 1';
create function public.deeper() returns int language sql stable set search_path = evil, public as
  'select public.calls_helper()';
create function public.calls_helper() returns int language plpgsql stable as
  $$ begin return helper(); end $$;
create function public.aliased(int8) returns void language internal strict immutable as 'pg_advisory_lock_int8';
create function public.renamed(text) returns bytea language internal strict immutable as 'pg_read_binary_file_all';
create function public.md5_like(text, text) returns text language c strict immutable as '$libdir/dblink', 'dblink_exec';
create function public.definer_secret() returns text language sql stable security definer as
  'select decrypted_secret from vault.decrypted_secrets';
create function public.definer_hash() returns text language sql stable security definer as
  'select rolpassword from pg_authid where rolpassword is not null limit 1';
create function public.definer_hash_quoted() returns text language plpgsql stable security definer as
  $$ declare h text; begin select rolpassword into h from "pg_catalog"."pg_authid" limit 1; return h; end $$;
create function public.definer_writes() returns int language sql security definer as
  'insert into public.marks (id) values (999); select 1';
create function public.cte_writes() returns bigint language sql as
  'with gone as (delete from public.marks returning 1) select count(*) from gone';
create function public.cte_then_update() returns int language sql as
  'with a as (select 1) update public.marks set n = 5; select 1';
create function public.in_update() returns int language plpgsql as
  $$ declare r record; begin for r in update public.marks set n = 6 returning n loop null; end loop; return 1; end $$;
create function public.query_insert() returns setof int language plpgsql as
  $$ begin return query insert into public.marks (id) values (998) returning id; end $$;
create function public.for_update() returns int language sql as 'select id from public.marks for update';
create function public.assigns() returns int language plpgsql stable as
  $$ declare x int; begin x := says_immutable(); return x; end $$;
create function public.declares() returns int language plpgsql stable as
  $$ declare x int default public.says_immutable(); begin return 1; end $$;
create function public.declares_domain() returns int language plpgsql stable as
  $$ declare x public.guarded; begin x := 5; return 1; end $$;
create function public.row_typed(p public.marks) returns int language sql stable as 'select pg_advisory_lock(909); select 1';
create function public.row_writes(p public.marks) returns int language sql as
  'update public.marks set n = 9; select 1';
create function public.variadic_locks(variadic a int[]) returns int language sql stable as
  'select pg_advisory_lock(910); select 1';
create function public.any_locks(anyelement) returns anyelement language plpgsql immutable as
  $$ begin perform pg_advisory_lock(911); return $1; end $$;
create procedure public.proc() language plpgsql as $$ begin update public.marks set n = 3; commit; end $$;
create function public.calls_proc() returns int language plpgsql as $$ begin call public.proc(); return 1; end $$;
create function public.does_block() returns int language plpgsql as
  $$ begin create temp table hole (a int); return 1; end $$;
create function public.ticks() returns bigint language sql stable as $$ select nextval('public.ticker') $$;
create function public.reads_file() returns text language sql immutable as $$ select pg_read_file('PG_VERSION') $$;
create function public.lists_files() returns setof text language sql stable as $$ select pg_ls_dir('.') $$;
create function public.as_xml() returns xml language sql stable as
  $$ select query_to_xml('select pg_advisory_lock(912)', true, true, '') $$;
create function public.validates() returns boolean language sql stable as
  $$ select pg_input_is_valid('5', 'public.guarded') $$;
create function public.raises() returns int language plpgsql immutable as
  $$ begin raise exception '%', (select decrypted_secret from vault.decrypted_secrets); end $$;
create function public.sleeps() returns int language plpgsql immutable as
  $$ begin perform pg_sleep(0.01); return 1; end $$;
create function public.guc_secret() returns text language sql stable as
  $$ select current_setting('app.settings.jwt_secret', true) $$;
create function public.guc_built(part text) returns text language sql stable as
  $$ select current_setting('app.settings.' || part, true) $$;
create function public.overloaded(int) returns int language sql immutable as 'select $1';
create function public.overloaded(text) returns int language sql immutable as 'select pg_advisory_lock(913); select 1';
create function public."Odd Name"() returns int language sql immutable as 'select pg_advisory_lock(914); select 1';
create function public."É"() returns int language sql immutable as 'select pg_advisory_lock(915); select 1';
create function public.calls_accent() returns int language sql immutable as 'select É()';
create function public."→"() returns int language sql immutable as 'select pg_advisory_lock(916); select 1';
create function public.calls_arrow() returns int language plpgsql immutable as $$ begin return →(); end $$;
create function public.a23456789_123456789_123456789_123456789_123456789_123456789_123() returns int
  language sql immutable as 'select pg_advisory_lock(917); select 1';
create function public.calls_long() returns int language sql immutable as
  'select a23456789_123456789_123456789_123456789_123456789_123456789_123_and_more()';
create function public.other_quotes() returns text language sql immutable set standard_conforming_strings = off as
  $$ select '\'' || pg_advisory_lock(918)::text --' $$;
create function public.like_locks(int, int) returns boolean language sql immutable as
  'select pg_advisory_lock(919); select true';
create operator public.!~~* (leftarg = int, rightarg = int, function = public.like_locks);
create function public.uses_like() returns boolean language sql immutable as 'select 1 not ilike 2';
create function public.reader() returns bigint language sql as 'select count(*) from public.marks';

-- operators, casts, domains, aggregates, types
create function public.op_locks(a int, b int) returns boolean language plpgsql immutable as
  $$ begin perform pg_advisory_lock(920); return true; end $$;
create function public.op_fine(a int, b int) returns boolean language sql immutable as 'select a = b';
create operator public.=@= (leftarg = int, rightarg = int, function = public.op_fine, negator = operator(public.<@>));
create operator public.<@> (leftarg = int, rightarg = int, function = public.op_locks, negator = operator(public.=@=));
create operator public.!!! (rightarg = anyelement, function = public.any_locks);
create function public.guard_check(int) returns boolean language plpgsql immutable as
  $$ begin perform pg_advisory_lock(921); return true; end $$;
create domain public.guarded as int check (public.guard_check(value));
create domain public.direct as int check (pg_try_advisory_lock(value));
create domain public.over as public.guarded;
create type public.pair as (a int, b public.guarded);
create domain public.pair_domain as public.pair;
create domain public.texty as text check (length(pg_read_file(value)) > 0);
create table public.holder (id int, g public.guarded);
create function public.takes_domain(g public.guarded) returns int language sql immutable as 'select 1';
create function public.gives_domain() returns public.guarded language sql immutable as 'select 5';
create type public.tint as (v int);
create function public.tint_text(public.tint) returns text language plpgsql immutable as
  $$ begin perform pg_advisory_lock(922); return 'x'; end $$;
create type public.color as enum ('red', 'green');
create function public.color_int(public.color) returns int language sql immutable as 'select 1';
create cast (public.color as int) with function public.color_int(public.color) as implicit;
create function public.state_locks(int, int) returns int language plpgsql immutable as
  $$ begin perform pg_advisory_lock(923); return $1; end $$;
create function public.state_fine(int, int) returns int language sql immutable as 'select $1 + $2';
create function public.final_locks(int) returns int language plpgsql immutable as
  $$ begin perform pg_advisory_lock(924); return $1; end $$;
create aggregate public.agg_state (int) (sfunc = public.state_locks, stype = int, initcond = '0');
create aggregate public.agg_final (int) (sfunc = public.state_fine, stype = int, finalfunc = public.final_locks, initcond = '0');
create aggregate public.agg_moving (int) (sfunc = public.state_fine, stype = int, initcond = '0',
  msfunc = public.state_fine, minvfunc = public.state_locks, mstype = int, minitcond = '0');
create aggregate public.agg_fine (int) (sfunc = public.state_fine, stype = int, initcond = '0');

-- views, policies, foreign tables
create view public.view_bumps as select public.plain_bump() as n;
create view public.view_of_view as select n + 1 as n from public.view_bumps;
create view public.view_sequence as select nextval('public.ticker') as n;
create view public.view_locks as select pg_try_advisory_lock(id) from public.marks;
create view public.view_secret as select * from vault.decrypted_secrets;
create view public.view_hash as select rolname, rolpassword from pg_authid;
create view public.view_for_share as select id from public.marks for share;
create view public.view_operator as select not (id operator(public.=@=) 5) as x from public.marks;
create table public.walled (id int);
insert into public.walled values (1);
create function public.policy_locks() returns boolean language plpgsql stable as
  $$ begin perform pg_advisory_lock(930); return true; end $$;
alter table public.walled enable row level security;
alter table public.walled force row level security;
create policy p on public.walled using (public.policy_locks());
create table public.walled_direct (id int);
insert into public.walled_direct values (1);
alter table public.walled_direct enable row level security;
create policy p on public.walled_direct using (pg_try_advisory_lock(931));
create view public.view_walled as select * from public.walled;
create server files foreign data wrapper file_fdw;
create foreign table public.runs_program (line text) server files options (program 'touch /tmp/sergei-fort-foreign');
create foreign table public.reads_passwd (line text) server files options (filename '/etc/passwd');
do $$ begin
  execute format('create server elsewhere foreign data wrapper postgres_fdw options (dbname %L)', current_database());
end $$;
create user mapping for public server elsewhere options (user 'postgres', password 'PLANTED-SECRET');
create foreign table public.far_marks (id int) server elsewhere options (table_name 'marks');
analyze;
