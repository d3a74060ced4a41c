-- title: A billing key lies in the public price list
-- class: grant
-- story: The price list got the column that the billing service needs; everybody may read the list.
-- rule: sensitive_columns_exposed
-- level: ERROR
-- object: public.plans
alter table public.plans add column billing_api_key text;

-- +undo
alter table public.plans drop column billing_api_key;
