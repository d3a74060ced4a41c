-- title: Provider access never ends
-- class: lifecycle
-- story: Renewing access every quarter annoyed the practices; the date was taken out of the view.
-- rule: policy_lifecycle_missing
-- level: ERROR
-- object: private.live_provider_access
create or replace view private.live_provider_access with (security_invoker = true) as
select x.id, x.profile_id, x.provider_id, d.account_id, x.can_contribute, x.include_documents
from public.provider_access x
join public.providers d on d.id = x.provider_id
join private.live_consents c on c.profile_id = x.profile_id and c.id = x.consent_id
join public.profiles p on p.id = x.profile_id
join public.accounts a on a.id = d.account_id
where x.status = 'active'
  and d.status = 'verified'
  and d.verified_until > now()
  and c.purpose_code = 'provider_access'
  and p.archived_at is null
  and a.status = 'active';

-- +undo
create or replace view private.live_provider_access with (security_invoker = true) as
select x.id, x.profile_id, x.provider_id, d.account_id, x.can_contribute, x.include_documents
from public.provider_access x
join public.providers d on d.id = x.provider_id
join private.live_consents c on c.profile_id = x.profile_id and c.id = x.consent_id
join public.profiles p on p.id = x.profile_id
join public.accounts a on a.id = d.account_id
where x.status = 'active'
  and x.starts_at <= now()
  and x.expires_at > now()
  and d.status = 'verified'
  and d.verified_until > now()
  and c.purpose_code = 'provider_access'
  and p.archived_at is null
  and a.status = 'active';
