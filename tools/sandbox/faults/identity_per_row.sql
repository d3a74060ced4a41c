-- title: The identity is worked out for every row
-- class: performance
-- story: A policy from an older guide.
-- rule: auth_rls_initplan
-- level: WARN
-- object: public.devices
alter policy devices_select on public.devices using (account_id = auth.uid());

-- +undo
alter policy devices_select on public.devices using (account_id = (select auth.uid()));
