-- Reference data. Codes are public identifiers of the named systems; the regional list is invented.
insert into public.regions (code, name, locale, storage_region) values
  ('IE', 'Ireland', 'en', 'eu-west-1'), ('DE', 'Germany', 'de', 'eu-central-1'), ('IT', 'Italy', 'it', 'eu-south-1');

insert into public.plans (code, name, monthly_price_cents, max_profiles, max_storage_bytes, is_public, created_at) values
  ('free', 'Free', 0, 2, 1073741824, true, '2023-01-01Z'),
  ('family', 'Family', 900, 8, 53687091200, true, '2023-01-01Z'),
  ('pilot', 'Pilot clinics', 0, 20, 107374182400, false, '2023-01-01Z');

insert into public.feature_flags (key, description, is_enabled, is_public, rollout_percent, updated_at) values
  ('timeline_v2', 'New timeline', true, true, 100, '2026-01-01Z'),
  ('vision_pass', 'Second pass with a vision model', true, false, 40, '2026-01-01Z'),
  ('family_profiles', 'Profiles shared in a family', true, true, 100, '2026-01-01Z');

insert into public.consent_purposes (code, title, legal_basis, text_version) values
  ('family_sharing', 'Share this record with a person', 'consent', 3),
  ('provider_access', 'Let a provider read this record', 'consent', 2),
  ('document_processing', 'Read documents automatically', 'consent', 4),
  ('research', 'Use pseudonymous data for research', 'consent', 1);

insert into public.code_systems (code, uri, name, version) values
  ('LOINC', 'http://loinc.org', 'LOINC', '2.78'),
  ('SNOMED', 'http://snomed.info/sct', 'SNOMED CT', '2026-03'),
  ('RXNORM', 'http://www.nlm.nih.gov/research/umls/rxnorm', 'RxNorm', '2026-06'),
  ('CVX', 'http://hl7.org/fhir/sid/cvx', 'CVX vaccines', '2026-01'),
  ('GUARDIAN-IE', 'urn:guardian:codes:ie', 'Guardian regional list for Ireland', '7');

insert into public.medical_codes (code_system, code, display, kind, unit) values
  ('LOINC', '4548-4', 'Hemoglobin A1c', 'observation', '%'),
  ('LOINC', '2345-7', 'Glucose', 'observation', 'mg/dL'),
  ('LOINC', '718-7', 'Hemoglobin', 'observation', 'g/dL'),
  ('LOINC', '2160-0', 'Creatinine', 'observation', 'mg/dL'),
  ('LOINC', '2093-3', 'Cholesterol', 'observation', 'mg/dL'),
  ('LOINC', '58410-2', 'Complete blood count panel', 'observation', null),
  ('LOINC', '8867-4', 'Heart rate', 'vital', '/min'),
  ('LOINC', '8480-6', 'Systolic blood pressure', 'vital', 'mm[Hg]'),
  ('LOINC', '8462-4', 'Diastolic blood pressure', 'vital', 'mm[Hg]'),
  ('LOINC', '8310-5', 'Body temperature', 'vital', 'Cel'),
  ('LOINC', '29463-7', 'Body weight', 'vital', 'kg'),
  ('LOINC', '59408-5', 'Oxygen saturation', 'vital', '%'),
  ('SNOMED', '38341003', 'Hypertensive disorder', 'condition', null),
  ('SNOMED', '44054006', 'Type 2 diabetes mellitus', 'condition', null),
  ('SNOMED', '195967001', 'Asthma', 'condition', null),
  ('SNOMED', '37796009', 'Migraine', 'condition', null),
  ('SNOMED', '35489007', 'Depressive disorder', 'condition', null),
  ('SNOMED', '91936005', 'Allergy to penicillin', 'allergy', null),
  ('SNOMED', '91935009', 'Allergy to peanut', 'allergy', null),
  ('SNOMED', '300913006', 'Allergy to shellfish', 'allergy', null),
  ('SNOMED', '185349003', 'Check-up', 'encounter', null),
  ('SNOMED', '50849002', 'Emergency department visit', 'encounter', null),
  ('SNOMED', '91251008', 'Physical therapy', 'intervention', null),
  ('SNOMED', '225358003', 'Wound care', 'intervention', null),
  ('RXNORM', '6809', 'Metformin', 'medication', null),
  ('RXNORM', '17767', 'Amlodipine', 'medication', null),
  ('RXNORM', '435', 'Albuterol', 'medication', null),
  ('RXNORM', '5640', 'Ibuprofen', 'medication', null),
  ('RXNORM', '723', 'Amoxicillin', 'medication', null),
  ('CVX', '140', 'Influenza vaccine', 'immunisation', null),
  ('CVX', '115', 'Tdap vaccine', 'immunisation', null),
  ('CVX', '03', 'MMR vaccine', 'immunisation', null),
  ('GUARDIAN-IE', 'IE-017', 'School medical examination', 'encounter', null),
  ('GUARDIAN-IE', 'IE-042', 'Veterinary vaccination', 'immunisation', null);

insert into public.quality_rules (code, title, severity, applies_to) values
  ('value_out_of_range', 'The value is outside of what is possible', 'critical', 'event'),
  ('low_confidence', 'The text was read with low confidence', 'warning', 'document'),
  ('duplicate_event', 'The same event was recorded twice', 'info', 'event'),
  ('name_mismatch', 'The name on the document is not the name of the profile', 'critical', 'document');
