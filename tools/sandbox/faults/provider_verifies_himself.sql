-- title: Providers can set their own verification
-- class: trust
-- story: An editor for the provider page needed UPDATE; it was granted on the whole table.
-- rule: policy_trusts_writable_rows
-- level: ERROR
-- object: policy providers_update on public.providers
grant update on public.providers to authenticated;

-- +undo
revoke update on public.providers from authenticated;
grant update (display_name, contact_phone) on public.providers to authenticated;
