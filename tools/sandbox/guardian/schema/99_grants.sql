-- Supabase grants everything in public to anon and authenticated as it is created. Guardian takes all of
-- that back and grants what each role needs; row level security then decides about rows.
revoke all on all tables in schema public from anon, authenticated;
revoke all on all sequences in schema public from anon, authenticated;
revoke execute on all functions in schema public from public, anon, authenticated;
revoke execute on all functions in schema private from public;

-- Reference data.
grant select on public.regions, public.plans to anon;
grant select on
  public.regions, public.plans, public.feature_flags, public.consent_purposes, public.code_systems,
  public.medical_codes, public.quality_rules
to authenticated;

-- Read only for people: written by procedures, triggers and services.
grant select on
  public.consent_history, public.profile_handovers, public.provider_organisations, public.provider_verifications,
  public.document_pages, public.processing_passes, public.subscriptions, public.usage_counters, public.audit_log
to authenticated;

-- People. Columns that decide about access are not among those a person may update.
grant select on public.accounts to authenticated;
grant update (display_name, phone, locale, region_code, onboarded_at) on public.accounts to authenticated;
grant select, delete on public.households to authenticated;
grant insert (id, name, created_by, city), update (name, city) on public.households to authenticated;
grant select, delete on public.household_members to authenticated;
grant update (role, status) on public.household_members to authenticated;
grant select on public.invitations to authenticated;
grant insert (id, household_id, invited_by, invited_email, token_sha256, status, expires_at), update (status)
  on public.invitations to authenticated;
grant select on public.profiles to authenticated;
grant insert (
  id, owner_account_id, household_id, kind, given_name, family_name, preferred_name, birth_date, sex, species,
  blood_group, avatar_path, emergency_note
) on public.profiles to authenticated;
grant update (
  household_id, given_name, family_name, preferred_name, birth_date, sex, blood_group, avatar_path, emergency_note
) on public.profiles to authenticated;
grant select, insert, update, delete on
  public.profile_identifiers, public.profile_contacts, public.carer_assignments, public.devices,
  public.notification_preferences
to authenticated;
grant select, delete on public.notifications to authenticated;
grant update (read_at) on public.notifications to authenticated;

-- Trust.
grant select on public.consents, public.profile_grants, public.provider_access to authenticated;
grant insert (id, profile_id, purpose_code, text_version, given_by, expires_at), update (status, expires_at)
  on public.consents to authenticated;
grant insert (id, profile_id, grantee_account_id, level, consent_id, granted_by, note, expires_at)
  on public.profile_grants to authenticated;
grant update (level, status, note, expires_at) on public.profile_grants to authenticated;
grant insert (
  id, profile_id, provider_id, purpose, can_contribute, include_documents, consent_id, granted_by, starts_at, expires_at
) on public.provider_access to authenticated;
grant update (can_contribute, include_documents, status, expires_at) on public.provider_access to authenticated;
grant select on public.providers to authenticated;
grant insert (id, account_id, organisation_id, display_name, speciality, registration_number, contact_phone)
  on public.providers to authenticated;
grant update (display_name, contact_phone) on public.providers to authenticated;
grant select on public.access_log to authenticated;
grant insert (profile_id, account_id, provider_id, purpose, resource) on public.access_log to authenticated;

-- Clinical record and journey.
grant select, insert, update, delete on
  public.clinical_events, public.conditions, public.medications, public.medication_doses, public.allergies,
  public.immunisations, public.vitals, public.diagnostic_reports, public.observations, public.episodes,
  public.encounters, public.appointments, public.reminders, public.timeline_entries, public.care_plans,
  public.care_plan_tasks
to authenticated;

-- Documents.
grant select, delete on public.documents to authenticated;
grant insert (id, profile_id, uploaded_by, storage_path, title, kind, mime_type, size_bytes, sha256)
  on public.documents to authenticated;
grant update (title, kind) on public.documents to authenticated;
grant select on public.extracted_entities to authenticated;
grant update (confirmed_by, confirmed_at, corrected_text) on public.extracted_entities to authenticated;
grant select, insert, delete on public.event_documents to authenticated;
grant select on public.data_exports to authenticated;
grant insert (id, profile_id, requested_by, format) on public.data_exports to authenticated;

-- Quality.
grant select on public.quality_flags, public.flag_resolutions to authenticated;
grant insert (id, profile_id, rule_code, severity, event_id, event_occurred_at, document_id, detail, raised_by)
  on public.quality_flags to authenticated;
grant update (status, severity) on public.quality_flags to authenticated;
grant select, insert, update, delete on public.review_queue to authenticated;
grant insert (id, profile_id, flag_id, outcome, explanation, resolved_by) on public.flag_resolutions to authenticated;

-- Views.
grant select on
  public.profile_overview, public.current_medications, public.upcoming_appointments, public.document_status,
  public.open_quality_flags, public.shared_with_me
to authenticated;

-- Functions of the API.
grant execute on function
  public.guardian_version(), public.accept_profile_grant(uuid), public.leave_profile(uuid),
  public.accept_invitation(text), public.request_handover(uuid, uuid), public.complete_handover(uuid),
  public.archive_profile(uuid), public.verify_provider(uuid, text, text, timestamptz),
  public.resolve_flag(uuid, text, text), public.audit_trail(timestamptz, timestamptz, integer),
  public.access_trail(timestamptz, timestamptz, integer),
  public.search_medical_codes(text, public.clinical_event_kind),
  public.profile_timeline(uuid, timestamptz, integer)
to authenticated;

-- Helpers that policies call, and the procedures behind the API functions.
grant execute on function
  private.is_active_account(), private.owned_profiles(), private.readable_profiles(), private.writable_profiles(), private.managed_profiles(),
  private.provider_profiles(), private.clinical_profiles(), private.recordable_profiles(),
  private.document_profiles(), private.my_providers(), private.my_households(), private.administered_households(),
  private.is_staff(text), private.flagged_profiles(), private.readable_documents(), private.writable_documents(), private.readable_folders(),
  private.writable_folders(), private.managed_folders(), private.accept_profile_grant(uuid),
  private.leave_profile(uuid), private.accept_invitation(text), private.request_handover(uuid, uuid),
  private.complete_handover(uuid), private.archive_profile(uuid),
  private.verify_provider(uuid, text, text, timestamptz), private.audit_trail(timestamptz, timestamptz, integer),
  private.access_trail(timestamptz, timestamptz, integer)
to authenticated;
grant execute on all functions in schema private to service_role;
