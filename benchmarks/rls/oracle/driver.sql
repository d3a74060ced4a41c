-- Does things as an API role and undoes each of them at once. Lives in databases of the oracle only.
create schema probing;
grant usage on schema probing to public;

-- Probes begin with q: (a query with one text value) or w: (a write, answered by its number of rows).
-- `afters` are queries that look at what a probe changed before it is undone.
create function probing.run(as_role text, claims text, probes text[], topics text[], afters text[])
returns text[] language plpgsql set statement_timeout = '60s' as $$
declare
  answers text[] := '{}';
  answer text;
  looked text;
  touched bigint;
begin
  perform set_config('request.jwt.claims', claims, true), set_config('role', as_role, true);
  for i in 1 .. cardinality(probes) loop
    answer := null;
    looked := null;
    begin
      if topics[i] is not null then
        perform set_config('realtime.topic', topics[i], true);
      end if;
      if left(probes[i], 2) = 'q:' then
        execute substr(probes[i], 3) into answer;
      else
        execute substr(probes[i], 3);
        get diagnostics touched = row_count;
        answer := touched::text;
      end if;
      if afters[i] is not null and answer <> '0' then
        execute afters[i] into looked;
      end if;
      raise exception using errcode = 'OK000';
    exception
      when sqlstate 'OK000' then
        answers := answers || (coalesce(answer, '') || case when looked is null then '' else '|' || looked end);
      when others then
        answers := answers || ('!' || sqlstate || case when sqlerrm like 'permission denied%' then 'p' else '' end);
    end;
  end loop;
  return answers;
end
$$;

-- One step that stays for the rest of the transaction; false when it was refused.
create function probing.step(as_role text, claims text, statement text) returns boolean
language plpgsql as $$
begin
  perform set_config('request.jwt.claims', claims, true), set_config('role', as_role, true);
  execute statement;
  perform set_config('role', 'none', true);
  return true;
exception when others then
  perform set_config('role', 'none', true);
  return false;
end
$$;
