"""Columns of published schemas with what they are: P identifies a person or says something of one, S
 does not.

After 45 CFR 164.514(b)(2): keys, names, places below a state, dates of a person, contact data, free
 text and
single measurements are P; codes, flags, statuses, lookups and technical columns are S. Types: i integer,
t text, vN varchar(N), d date, ts timestamp, n numeric, b boolean. No foreign keys are given, which is
 harder
than a real schema.

`TUNED` was in sight while the classifier's words were written. `HELD_OUT` was written down afterwards.
Measured at first sight: recall 99.3 %, precision 71.6 %. Two general rules came out of that and are in the
figures now: the code of a place is a place (county_code), and two characters are a code.
"""

from __future__ import annotations

from typing import Final

TUNED: Final[dict[str, str]] = {
    "OMOP CDM": """
person: person_id i P, gender_concept_id i S, year_of_birth i P, month_of_birth i P, day_of_birth i P,
 birth_datetime ts P, race_concept_id i S, ethnicity_concept_id i S, location_id i P, provider_id i P,
 person_source_value v50 P, gender_source_value v50 S
visit_occurrence: visit_occurrence_id i P, person_id i P, visit_concept_id i S, visit_start_date d P,
 visit_end_datetime ts P, visit_type_concept_id i S, provider_id i P
note: note_id i P, person_id i P, note_date d P, note_title v250 P, note_text t P, language_concept_id i S
death: person_id i P, death_date d P, cause_concept_id i S, cause_source_value v50 P
location: location_id i P, address_1 v50 P, city v50 P, zip v9 P, county v20 P, latitude n P
concept: concept_id i S, concept_name v255 S, domain_id v20 S, vocabulary_id v20 S, concept_code v50 S
""",
    "OpenMRS": """
person_name: person_name_id i P, person_id i P, prefix v50 P, given_name v50 P, family_name v50 P,
 voided b S
person_address: person_id i P, address1 v255 P, city_village v255 P, postal_code v50 P, latitude v50 P
patient_identifier: patient_id i P, identifier v50 P, identifier_type i S, preferred b S
obs: obs_id i P, person_id i P, concept_id i S, obs_datetime ts P, value_text t P, value_numeric n P,
 comments t P
""",
    "FHIR, flattened": """
patient: id t P, active b S, name_family t P, name_given t P, telecom_phone t P, birth_date d P,
 deceased_date_time ts P, address_line t P, address_city t P, address_postal_code t P,
 marital_status_code v10 S
practitioner: id t P, identifier t P, name_family t P, qualification_code v10 S
related_person: id t P, patient_id t P, relationship_code v10 S, name_text t P, telecom_email t P
encounter: id t P, subject_id t P, status v20 S, class_code v10 S, period_start ts P, reason_text t P
""",
}

HELD_OUT: Final[dict[str, str]] = {
    "PCORnet CDM": """
DEMOGRAPHIC: PATID t P, BIRTH_DATE d P, BIRTH_TIME v5 P, SEX v2 S, SEXUAL_ORIENTATION v2 S, HISPANIC v2 S,
 RACE v2 S, BIOBANK_FLAG v1 S, PAT_PREF_LANGUAGE_SPOKEN v3 S, RAW_SEX t P, RAW_RACE t P
ENCOUNTER: ENCOUNTERID t P, PATID t P, ADMIT_DATE d P, ADMIT_TIME v5 P, DISCHARGE_DATE d P, PROVIDERID t
 P,
 FACILITY_LOCATION v5 P, ENC_TYPE v2 S, FACILITYID t P, DISCHARGE_DISPOSITION v2 S, DISCHARGE_STATUS v2 S,
 DRG v3 S, DRG_TYPE v2 S, ADMITTING_SOURCE v2 S, PAYER_TYPE_PRIMARY v5 S, RAW_SITEID t P
LDS_ADDRESS_HISTORY: ADDRESSID t P, PATID t P, ADDRESS_USE v2 S, ADDRESS_TYPE v2 S, ADDRESS_CITY t P,
 ADDRESS_STATE v2 S, ADDRESS_ZIP5 v5 P, ADDRESS_ZIP9 v9 P, ADDRESS_PERIOD_START d P, ADDRESS_PERIOD_END
 d P
VITAL: VITALID t P, PATID t P, MEASURE_DATE d P, MEASURE_TIME v5 P, VITAL_SOURCE v2 S, HT n P, WT n P,
 DIASTOLIC n P, SYSTOLIC n P, BP_POSITION v2 S, SMOKING v2 S, TOBACCO_TYPE v2 S
""",
    "MIMIC-III": """
patients: row_id i P, subject_id i P, gender v5 S, dob ts P, dod ts P, dod_hosp ts P, dod_ssn ts P,
 expire_flag i S
admissions: subject_id i P, hadm_id i P, admittime ts P, dischtime ts P, deathtime ts P, admission_type
 v50 S,
 admission_location v50 P, insurance v255 S, language v10 S, religion v50 P, marital_status v50 S,
 ethnicity v200 S, edregtime ts P, diagnosis v255 P, hospital_expire_flag i S, has_chartevents_data i S
noteevents: subject_id i P, hadm_id i P, chartdate ts P, storetime ts P, category v50 S, description
 v255 P,
 cgid i P, iserror v1 S, text t P
labevents: subject_id i P, hadm_id i P, itemid i S, charttime ts P, value v200 P, valuenum n P, valueuom
 v20 S,
 flag v20 S
caregivers: cgid i P, label v15 P, description v30 P
d_icd_diagnoses: row_id i S, icd9_code v10 S, short_title v50 S, long_title v255 S
d_items: itemid i S, label v200 S, abbreviation v100 S, category v100 S, unitname v100 S
""",
    "OpenEMR": """
patient_data: id i P, pid i P, pubpid v255 P, title v255 S, language v255 S, fname v255 P, lname v255 P,
 mname v255 P, DOB d P, street v255 P, postal_code v255 P, city v255 P, state v255 S, country_code v255 S,
 drivers_license v255 P, ss v255 P, occupation t P, phone_home v255 P, phone_biz v255 P, phone_cell v255
 P,
 email v255 P, mothersname v255 P, guardiansname v255 P, sex v255 S, referrerID v255 P, ethnoracial v255
 S,
 family_size v63 P, monthly_income v63 P, homeless v255 P, hipaa_mail v3 S, hipaa_voice v3 S,
 deceased_date ts P,
 deceased_reason v255 P, billing_note t P, care_team_provider t P, allow_patient_portal v31 S, status
 v255 S
form_encounter: encounter i P, date ts P, reason t P, facility t P, pid i P, onset_date ts P,
 sensitivity v30 S,
 billing_note t P, pc_catid i S, provider_id i P, external_id v20 P
codes: id i S, code_text t S, code_text_short v24 S, code v25 S, code_type i S, modifier v12 S, fee n S,
 active b S
list_options: list_id v100 S, option_id v100 S, title v255 S, seq i S, is_default b S
""",
    "HL7 v2, PID and NK1": """
pid_segment: set_id i S, patient_id v20 P, patient_identifier_list t P, alternate_patient_id v20 P,
 patient_name t P,
 mothers_maiden_name v250 P, date_time_of_birth ts P, administrative_sex v1 S, patient_alias t P, race
 v20 S,
 patient_address t P, county_code v4 P, phone_number_home t P, phone_number_business t P,
 primary_language v20 S,
 marital_status v5 S, religion v20 P, patient_account_number v20 P, ssn_number_patient v16 P,
 drivers_license_number v25 P, mothers_identifier t P, ethnic_group v20 S, birth_place v250 P,
 multiple_birth_indicator v1 S, birth_order i P, citizenship v20 P, veterans_military_status v5 S,
 nationality v20 P, patient_death_date_and_time ts P, patient_death_indicator v1 S,
 identity_unknown_indicator v1 S, last_update_date_time ts P, species_code v10 S
nk1_segment: set_id i S, name t P, relationship v20 S, address t P, phone_number t P, contact_role v20 S,
 start_date d P, date_time_of_birth ts P, contact_persons_name t P, contact_persons_telephone_number t P
""",
    "Polish, Finnish, Turkish; no foreign keys": """
pacjenci: id i P, imie t P, nazwisko t P, pesel v11 P, ulica t P, kod_pocztowy t P, miejscowosc t P,
 data_urodzenia d P
wizyty: id i P, pacjent i P, lekarz t P, rozpoznanie t P, opis t P, data d P
potilaat: tunnus i P, etunimi t P, sukunimi t P, henkilotunnus t P, syntymaaika d P, osoite t P, puhelin
 t P
hastalar: kimlik i P, adi t P, soyadi t P, tc_kimlik_no t P, dogum_tarihi d P, adres t P, cep t P
panstwa: kod v2 S, nazwa t S, aktywny b S
countries: code v2 S, name t S
""",
}
