-- title: A dashboard copy of the event stream is in the API
-- class: view
-- story: The nightly figures were to be shown in the app, so the view was made in public.
-- rule: materialized_view_in_api
-- level: ERROR
-- object: public.profile_figures
create materialized view public.profile_figures as
select e.profile_id, e.kind, count(*) as events from public.clinical_events e group by e.profile_id, e.kind;
grant select on public.profile_figures to anon, authenticated;

-- +undo
drop materialized view public.profile_figures;
