select distinct value
from (
  select display_name from public.accounts
  union all select email from public.accounts
  union all select phone from public.accounts
  union all select given_name || ' ' || family_name from public.profiles
  union all select family_name from public.profiles
  union all select value from public.profile_identifiers
  union all select name from public.profile_contacts
  union all select phone from public.profile_contacts
  union all select address_line from public.profile_contacts
  union all select note from public.conditions
  union all select note from public.clinical_events
  union all select ocr_text from public.document_pages
) as person (value)
where length(value) >= 6
