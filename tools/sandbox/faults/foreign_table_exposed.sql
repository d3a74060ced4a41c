-- title: Laboratory results of a partner are in the API
-- class: grant
-- story: The partner offered a database connection; the foreign table was made in public.
-- rule: foreign_table_in_api
-- level: ERROR
-- object: public.partner_results
create foreign data wrapper partner_wrapper;
create server partner_laboratory foreign data wrapper partner_wrapper;
create foreign table public.partner_results (
  patient_reference text, code text, value numeric, measured_at timestamptz
) server partner_laboratory;
grant select on public.partner_results to anon, authenticated;

-- +undo
drop foreign table public.partner_results;
drop server partner_laboratory;
drop foreign data wrapper partner_wrapper;
