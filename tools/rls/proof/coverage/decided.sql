-- For every caller in turn: which of the questions (one row, one array of booleans) is answered true.
-- Stops when all were, or at a moment; what failed is told, the caller's settings are taken back.
create function pg_temp.decided(actors jsonb, query text, size int, until timestamptz,
                                out seen boolean[], out asked int, out answered int, out state text, out message text)
language plpgsql as $$
declare
  actor jsonb;
  setting record;
  answers boolean[];
begin
  seen := array_fill(false, array[size]);
  asked := 0;
  answered := 0;
  for actor in select value from jsonb_array_elements(actors) loop
    exit when clock_timestamp() > until;
    asked := asked + 1;
    begin
      for setting in select key, value from jsonb_each_text(actor) loop
        perform set_config(setting.key, setting.value, true);
      end loop;
      execute query into answers;
      seen := array(select a or b from unnest(seen, answers) with ordinality as both_of (a, b, place) order by place);
      answered := answered + 1;
    exception when others then
      state := sqlstate;
      message := sqlerrm;
    end;
    exit when true = all (seen);
  end loop;
  perform set_config('role', 'none', true);
end
$$
;
-- Values that depend on the caller alone, as text: one row for each caller. What fails is NULL.
create function pg_temp.told(callers jsonb, expressions text[], out roles text[], out told text[])
returns setof record language plpgsql as $$
declare
  caller jsonb;
  setting record;
  one text;
begin
  for caller in select value from jsonb_array_elements(callers) loop
    roles := array(select jsonb_array_elements_text(caller -> 'roles'));
    for setting in select key, value from jsonb_each_text(caller -> 'settings') loop
      perform set_config(setting.key, setting.value, true);
    end loop;
    begin
      execute 'select array[' || array_to_string(expressions, ', ') || ']::text[]' into told;
    exception when others then
      told := array_fill(null::text, array[cardinality(expressions)]);
      for at in 1 .. cardinality(expressions) loop
        begin
          execute 'select ' || expressions[at] into one;
          told[at] := one;
        exception when others then null;
        end;
      end loop;
    end;
    perform set_config('role', 'none', true);
    return next;
  end loop;
end
$$
