-- Runs many probes as one caller in one round trip. Lives in the scratch copy only, owned by its superuser.
-- Role and settings are those that PostgREST would set; each attempt is rolled back by an exception.
create schema sergei_proof;

create function sergei_proof.become(caller text, settings jsonb) returns void
language plpgsql as $$
declare
  name text;
begin
  for name in select jsonb_object_keys(settings) loop
    perform set_config(name, settings ->> name, true);
  end loop;
  perform set_config('role', coalesce(nullif(caller, ''), 'none'), true);
end
$$;

-- What the caller reads: the ids that each query gives, or the SQLSTATE it failed with.
create function sergei_proof.reads(
  caller text, settings jsonb, queries text[], out ids text[], out state text, out message text
) returns setof record
language plpgsql as $$
declare
  query text;
begin
  perform sergei_proof.become(caller, settings);
  foreach query in array queries loop
    begin
      ids := null; state := ''; message := '';
      execute query into ids;
    exception when others then
      state := sqlstate; message := sqlerrm;
    end;
    return next;
  end loop;
  perform set_config('role', 'none', true);
end
$$;

-- What the caller achieves. For each statement: SQLSTATE ('' for success), rows, its text result, the rows
-- it left behind (`traces[i]`, a query run as superuser), and what the caller reads afterwards that he did
-- not read before: {query number: ids}. With `openers`, each statement follows its opener in one attempt.
create function sergei_proof.attempts(
  caller text, settings jsonb, openers text[], statements text[], traces text[], queries text[], base text[],
  out state text, out message text, out affected bigint, out answer text, out trace jsonb, out seen jsonb,
  out opened text
) returns setof record
language plpgsql as $$
declare
  i int; k int; found text; part text; started int := 0;
begin
  perform sergei_proof.become(caller, settings);
  for i in 1 .. cardinality(statements) loop
    state := ''; message := ''; affected := 0; answer := null; trace := null; seen := null; opened := '';
    begin
      if openers[i] is not null then
        begin
          execute openers[i];
        exception when others then
          opened := sqlstate;
          raise;
        end;
      end if;
      if statements[i] like 'select %' then
        execute statements[i] into answer;
        affected := 1;
      else
        execute statements[i];
        get diagnostics affected = row_count;
      end if;
      set constraints all immediate;
      if affected > 0 then
        if traces[i] is not null then
          perform set_config('role', 'none', true);
          execute traces[i] into trace;
          perform set_config('role', coalesce(nullif(caller, ''), 'none'), true);
        end if;
        for k in 1 .. coalesce(cardinality(queries), 0) loop
          begin
            found := null;
            execute queries[k] into found;
          exception when others then
            found := null;
          end;
          if found is distinct from base[k] then
            seen := coalesce(seen, '{}') || jsonb_build_object(k::text, found);
          end if;
        end loop;
      end if;
      raise exception using errcode = 'SPDUN';
    exception
      when sqlstate 'SPDUN' then null;
      when others then
        state := sqlstate; message := sqlerrm;
    end;
    return next;
  end loop;
  perform set_config('role', 'none', true);
end
$$;
