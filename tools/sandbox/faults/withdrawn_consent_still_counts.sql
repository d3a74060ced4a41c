-- title: A withdrawn consent still opens profiles
-- class: lifecycle
-- story: The view of living consents was widened so that people could see withdrawn ones, too.
-- rule: policy_admits_ended
-- level: WARN
-- object: private.live_consents
create or replace view private.live_consents with (security_invoker = true) as
select c.id, c.profile_id, c.purpose_code
from public.consents c
where c.status in ('given', 'withdrawn') and (c.expires_at is null or c.expires_at > now());

-- +undo
create or replace view private.live_consents with (security_invoker = true) as
select c.id, c.profile_id, c.purpose_code
from public.consents c
where c.status = 'given' and (c.expires_at is null or c.expires_at > now());
