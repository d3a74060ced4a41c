"""The words that schemas use for people and for what identifies them, in six languages.

Each set holds single words in lower case without accents; `split` brings a name into that form. English comes
first, then German, French, Spanish, Portuguese and Italian, then the names of national numbers.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final


def words(text: str) -> frozenset[str]:
    """A set from words between spaces."""
    return frozenset(text.split())


PERSONS: Final = words("""
patient patients person persons people profile profiles user users account accounts member members
membership memberships family families client clients contact contacts child children dependant dependants
dependent dependents guardian guardians carer carers caregiver caregivers caretaker provider providers
practitioner practitioners physician physicians clinician clinicians doctor doctors nurse nurses therapist
therapists staff employee employees subject subjects beneficiary beneficiaries insured customer customers
kin relative relatives participant participants household households resident residents donor donors
recipient recipients student students applicant applicants spouse partner sibling mother father parent
parents subscriber subscribers enrollee enrollees policyholder holder worker workers driver tenant
attendee attendees respondent respondents veteran veterans inmate newborn twin victim midwife surgeon
pharmacist author owner owners human individual individuals citizen citizens signatory witness proband
probands pat pt pts gp emp cust usr patienten patientin person personen kunde kunden benutzer nutzer
mitarbeiter versicherter versicherte versicherten arzt aerzte arzte angehoeriger angehoerige angehoerigen
kinder mitglied mitglieder mensch menschen pfleger pflegekraft bewohner klient klienten anwender
haushalt familie familien teilnehmer patiente patientes personne personnes utilisateur utilisateurs assure
assures malade malades medecin medecins salarie salaries adherent adherents enfant enfants famille
familles beneficiaire beneficiaires usager usagers soignant soignants infirmier infirmiere proche proches
conjoint compte comptes paciente pacientes persona personas usuario usuarios cliente clientes medico
medicos empleado empleados asegurado asegurados familiar familiares hijo hijos nino ninos enfermo enfermos
enfermera afiliado afiliados titular titulares socio socios cuidador cuidadores beneficiario beneficiarios
ciudadano ciudadanos cuenta pessoa pessoas utente utentes utilizador utilizadores segurado segurados
funcionario funcionarios doente doentes crianca criancas enfermeiro enfermeiros colaborador colaboradores
conta paziente pazienti persone utenti assistito assistiti dipendente dipendenti clienti bambino bambini
iscritto iscritti familiare famigliare infermiere infermieri
""")

CARE: Final = words("""
observation observations encounter encounters medication medications prescription prescriptions allergy
allergies allergen condition conditions diagnosis diagnoses immunization immunizations immunisation
immunisations vaccination vaccinations vaccine vital vitals symptom symptoms specimen specimens
appointment appointments visit visits admission admissions discharge procedure procedures treatment
treatments referral referrals claim claims consent consents clinical document documents audit audits chart
charts episode episodes death deaths exposure exposures measurement measurements dispense dispenses
careplan careplans surgery surgeries pregnancy pregnancies delivery birth births biopsy genome genomes
genotype lab labs result results radiology imaging vitalsign stay stays triage note notes obs eligibility
coverage enrollment befund befunde diagnose diagnosen termin termine besuch besuche aufnahme aufnahmen
rezept rezepte behandlung behandlungen krankenakte akte akten impfung impfungen fall faelle entlassung
verordnung verordnungen untersuchung untersuchungen pflegebericht consultation consultations ordonnance
ordonnances rdv visite visites dossier dossiers sejour sejours examen examens traitement traitements
hospitalisation hospitalisations naissance naissances cita citas consulta consultas receta recetas
historia historias ingreso ingresos alta altas tratamiento tratamientos examenes vacuna vacunas turno
turnos atencion atenciones receita receitas internamento internamentos exame exames tratamento tratamentos
marcacao marcacoes visita ricetta ricette ricovero ricoveri esame esami cartella cartelle referto referti
prenotazione prenotazioni appuntamento appuntamenti terapia terapie
""")

REFERENCE: Final = words("""
code codes type types kind kinds category categories status statuses catalog catalogue dictionary purpose
purposes rule rules template templates setting settings plan plans country countries currency currencies
language languages locale locales region regions unit units feature features flag flags vocabulary
vocabularies concept concepts terminology terminologies lookup lookups enum enums migration migrations
version versions tariff tariffs specialty specialties speciality specialities drug drugs formulary icd
icd9 icd10 icd11 snomed loinc rxnorm atc cpt hcpcs timezone timezones holiday holidays system systems
synonym synonyms domain domains class classes ancestor relationship_types strength permissions permission
privilege privileges tax taxes product products config configuration parameter parameters metadata
continent continents severity severities reason reasons laender waehrung waehrungen sprache sprachen
einheit einheiten katalog kataloge fachrichtung fachrichtungen arten tarif tarife schluessel pays devise
devises langue langues unite unites statut statuts nomenclature nomenclatures specialite specialites pais
paises moneda monedas idioma idiomas unidad unidades estado estados tipo tipos catalogo catalogos
especialidad especialidades provincias moeda moedas unidade unidades especialidade especialidades paesi
valuta valute lingua lingue unita stato stati tipi categoria categorie specialita
""")
"""A table whose last word is one of these describes the world, not a person."""

LOOKUP_COLUMNS: Final = words("""
id code key slug name label title display description definition short long abbreviation abbr symbol iso
iso2 iso3 sort order ordinal position rank active enabled disabled valid version created updated inserted
at by is has locale language lang lng url uri icon color colour group category type kind class status unit
units default min max value number num price amount cents currency monthly yearly annual rate percent
rollout storage bytes limit from to until start end of in the public deprecated parent level text note
system standard domain vocabulary concept synonym region country continent legal basis severity applies
numeric alpha digits hash checksum bezeichnung name kurz titel reihenfolge aktiv nom libelle ordre actif
nombre descripcion orden activo nome descricao ordem ativo descrizione ordine attivo code codigo codice
schluessel kuerzel
""")
"""Words of which the columns of a plain lookup consist."""

LOOKUP_KEYS: Final = words("code key slug iso iso2 iso3 symbol abbreviation kuerzel codigo codice schluessel")

SECRETS: Final = words("""
password passwd passwort kennwort pwd passphrase secret secrets token tokens apikey credential credentials
encrypted otp totp pin salt motdepasse contrasena senha privatekey
""")
NAMES: Final = words("""
surname lastname firstname fullname forename nickname fname lname mname givenname familyname maiden initials
christian middlename displayname username login nok suffix_name vorname nachname familienname geburtsname
rufname prenom prenoms apellido apellidos sobrenome apelido apelidos cognome cognomi alias
""")
GIVEN: Final = words("""
first last middle given family full sur preferred nick legal maiden second third birth mother father user
display patient person member contact emergency guardian spouse kin relative doctor physician provider
nurse practitioner customer client account holder owner author subscriber insured participant child
employee staff pat pt gp attending referring ordering prescribing primer segundo primeiro ultimo pila
jeune naissance usage
""")
"""Words that make a person's name of `name`, `nom`, `nombre` or `nome` beside them."""
NAME: Final = words("name names nm nom noms nombre nombres nome nomes nomi")
EMAILS: Final = words("email emails mail correo courriel mel emailaddress")
PHONES: Final = words("""
phone phones telephone tel telno mobile fax cell cellular cellphone msisdn whatsapp pager telefon
telefonnummer handy handynummer mobil mobilnummer rufnummer telefono telefonos movil celular telefone
telemovel cellulare
""")
BIRTHS: Final = words("""
dob birthdate birthday birth born bday yob dod deathdate death deceased died dateofbirth geburtsdatum
geburtstag geburtsjahr geburt gebdatum gebdat geb sterbedatum todesdatum verstorben naissance deces
nacimiento fallecimiento nascimento falecimento obito nascita decesso morte nato ddn fnac
""")
ADDRESSES: Final = words("""
address addresses addr street road avenue house city town village suburb zip zipcode zip5 postal postcode
county parish neighborhood neighbourhood latitude longitude lat lon lng gps geo geom geolocation
coordinates subdivision birthplace residence ip ipaddress ipaddr mac anschrift adresse adressen strasse
str hausnummer hausnr plz ort wohnort postleitzahl rue ville codepostal direccion domicilio calle ciudad
municipio colonia endereco morada rua cidade bairro cep logradouro freguesia concelho indirizzo residenza
via citta cap comune civico localita
""")
NUMBERS: Final = words("""
mrn mrns ssn sin nino nhs nhsnumber mbi hicn medicare medicaid passport license licence npi dea identifier
identifiers iban bban bic aadhaar curp rfc cpf cnpj cns rg nif nie dni cif nss nir insee kvnr ahv avs bsn
ihi hetu pesel cnp oib egn amka emso jmbg personnummer fodselsnummer codfisc codicefiscale fiscalcode
tessera sozialversicherungsnummer svnr rvnr steuerid ausweis ausweisnummer versichertennummer
versichertennr patientennummer patientennr krankenversichertennummer secu cedula cartao sns matricola
fingerprint biometric plate vin imei imsi serial chartno medrec hrn accession
""")
TEXTS: Final = words("""
note notes comment comments remark remarks narrative transcript message messages body payload memo
freetext anamnesis complaint complaints ocr extracted raw summary impression subjective assessment letter
dictation bemerkung bemerkungen notiz notizen anmerkung anmerkungen kommentar freitext vermerk anamnese
arztbrief befundtext remarque remarques commentaire commentaires observaciones comentario comentarios nota
notas motivo observacoes osservazioni annotazioni commento commenti
""")
HEALTH: Final = words("""
symptom symptoms diagnosis diagnoses dx allergy allergies medication medications dosage dose sig blood
genotype disease illness disability pregnancy hiv gender sex ethnicity race religion religious marital
occupation nationality orientation weight height bmi age vaccine immunization insurance diagnose diagnosen
geschlecht konfession beruf krankheit sexe maladie profession sexo enfermedad ocupacion doenca profissao
sesso malattia
""")
FACES: Final = words("""
photo photos picture pictures portrait avatar selfie signature image images scan voice audio video face foto
fotos bild unterschrift firma assinatura immagine
""")
IDS: Final = words("""
id ids uuid guid ref key no nr num number oid fk pk identifier nummer numero num matricule kennung
""")
CODED: Final = words("""
code status state type kind category class level flag unit units currency locale language priority
severity mode channel platform gender_code version enabled verified required concept laterality urgency
acuity modality statut typ art estado tipo categoria stato situacao einheit
""")
"""As a name's last word: values from a list that the schema's author made."""
_QUIET_HEADS: Final = words("""
code type kind category count counts status state format template templates enabled verified verification
required flag prefix length policy preference preferences concept quality accuracy use rank rule
""")


def quiet(name: tuple[str, ...]) -> bool:
    """Whether the last word turns the rest into a property: `phone_type` is no phone number."""
    return len(name) > 1 and name[-1] in _QUIET_HEADS


_ALL: Final[frozenset[str]] = frozenset[str]().union(
    PERSONS, CARE, REFERENCE, SECRETS, NAMES, NAME, EMAILS, PHONES, BIRTHS, ADDRESSES, NUMBERS, TEXTS, HEALTH,
    FACES, IDS, CODED,
    {"date", "datum", "data", "fecha", "time", "of", "de", "first", "last", "middle", "given"},
)  # fmt: skip
_GLUE: Final[frozenset[str]] = frozenset(word for word in _ALL if len(word) >= 3) | {"id", "no", "nr", "of"}
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APART: Final = re.compile(r"[^a-z0-9]+")
_DIGITS: Final = re.compile(r"^([a-z]{3,})\d{1,2}$")


@cache
def split(name: str) -> tuple[str, ...]:
    """`patientFirstName2`, `PATIENT_FIRST_NAME` and `patientfirstname` are (patient, first, name)."""
    plain = name[:128].replace("ß", "ss").replace("ẞ", "SS").replace("ø", "o")
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    found: list[str] = []
    for word in filter(None, _APART.split(_CAMEL.sub("_", plain).lower())):
        stem = word if word in _ALL or word in LOOKUP_COLUMNS else _DIGITS.sub(r"\1", word)
        found.extend(_unglue(stem))
    return tuple(found)


def _unglue(word: str) -> tuple[str, ...]:
    """`birthdate` stays, `patientid` becomes two words; a word that is not made of known ones stays."""
    if word in _ALL or not 5 <= len(word) <= 40:
        return (word,)
    best: list[tuple[str, ...] | None] = [(), *([None] * len(word))]
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 24), end):
            left = best[start]
            if left is not None and word[start:end] in _GLUE:
                parts = (*left, word[start:end])
                known = best[end]
                best[end] = parts if known is None or len(parts) < len(known) else known
    return best[-1] or (word,)
