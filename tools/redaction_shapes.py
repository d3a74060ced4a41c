"""What secrets and identifiers look like in text.

Every repeat in these patterns has an upper bound, and most are possessive, so that a hostile log line costs
a fixed amount of work per character. The part to hide is the group `v`, or else the whole match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tools import national_numbers as numbers


@dataclass(frozen=True, slots=True)
class Shape:
    """One pattern. `needles`: it is not tried unless one of these stands in the text in lower case."""

    kind: str
    pattern: re.Pattern[str]
    needles: tuple[str, ...] = ()
    check: Callable[[str], bool] | None = None

    def group(self) -> str | int:
        """The group that is hidden."""
        return "v" if "v" in self.pattern.groupindex else 0


def _shape(
    kind: str, pattern: str, *needles: str, check: Callable[[str], bool] | None = None, flags: int = 0
) -> Shape:
    return Shape(kind, re.compile(pattern, flags), needles, check)


def _telling(value: str) -> bool:
    """A secret has digits among its letters, and is no call, variable or placeholder."""
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    return mixed and "(" not in value and _given(value)


def _given(value: str) -> bool:
    """Not a variable of a shell, as in PGPASSWORD=$PGPASSWORD."""
    return _VARIABLE.fullmatch(value) is None


def _login(value: str) -> bool:
    """Not USER:PASSWORD, as instructions write it."""
    return not value.replace(":", "").replace("_", "").isupper()


def _numbered(value: str) -> bool:
    """It has digits that are not a paragraph of the HIPAA rules, as in "SSN is PHI under 164.514"."""
    return sum(char.isdigit() for char in _PARAGRAPH.sub("", value)) >= 3


def _public(address: str) -> bool:
    """Not loopback, private, link-local or one of the ranges that documentation uses."""
    parts = [int(part) for part in address.split(".")]
    first, second = parts[0], parts[1]
    private = (
        first in {0, 10, 127, 255} or (first == 192 and second == 168) or (first == 169 and second == 254)
    )
    docs = tuple(parts[:3]) in {(192, 0, 2), (198, 51, 100), (203, 0, 113)}
    return max(parts) < 256 and not private and not docs and not (first == 172 and 16 <= second < 32)


def _spoken(value: str) -> bool:
    """A password in a sentence, not a word of it: digits among letters, or a sign that words do not hold."""
    return _telling(value) or re.search(r"\w[!#%^*@]\w", value) is not None


def _person(value: str) -> bool:
    """Not one of the words that stand after such labels in technical text."""
    return value.split()[0].rstrip(",") not in _NO_NAMES


_NOT_NAMES: Final = """
True False None Null NULL Yes No Unknown Table Schema Column Policy Select Insert Update Delete Error Warning
The This Any All Each Every Data Access Portal Id ID UUID Patient Profile User Account Contact String Date
"""
_VARIABLE: Final = re.compile(r"\$\(?[A-Z][A-Z0-9_]*\)?")
_PARAGRAPH: Final = re.compile(r"\b16[0-4]\.\d{3}\b")
_NO_NAMES: Final = frozenset(_NOT_NAMES.split())
_LABEL: Final = r"[\"']?\s{0,3}+[:=]\s{0,3}+[\"']?"
_WORD: Final = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ'’-]{0,30}+"
_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,7}+"
_DATE: Final = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?\s{_MONTH},?\s\d{{4}}|{_MONTH}\s\d{{1,2}},?\s\d{{4}})"
)
_STATES: Final = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND"
    "|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)

SECRETS: Final[tuple[Shape, ...]] = (
    # Secrets first: a DSN holds what looks like an e-mail address.
    _shape(
        "private-key",
        # One that was cut off, or whose end was left out, is a key all the same.
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
        r"(?:[\s\S]{0,8000}?-----END [A-Z ]{0,30}KEY-----|[A-Za-z0-9+/=\s:,-]{0,8000}+)",
        "-----begin ",
    ),
    _shape("password", r"(?<=://)[^\s:/@]{1,128}+:[^\s/@]{1,256}+(?=@)", "://", check=_login),
    _shape("password", r"(?i)(?<=password=)[^\s'\"&;]{1,256}", "password=", check=_given),
    _shape(
        "password",
        r"(?i)(?<![a-z0-9])(?:password|passwd|passphrase|pass|pwd|secret|"
        r"(?:api|access|account|secret|signing|encryption|private|master|service[_-]?role)[_-]?key|"
        r"(?:access|auth|refresh|bearer|session|api)[_-]?token)" + _LABEL +
        r"(?P<v>[^\s\"'&;,<>{}]{8,256}+)",
        "pass", "pwd", "secret", "key", "token",
        check=_telling,
    ),
    _shape("password", r"(?i)\bpassword\s{1,3}'(?P<v>[^'\n]{1,256})'", "password"),
    _shape(
        "password",
        r"(?i)\b(?:password|passphrase|passcode)\s(?:is|was|to|=)(?:\snow|\sset\sto)?:?\s[\"'`]?"
        r"(?P<v>[^\s\"'`;,<>{}]{6,128}+)",
        "passw", "passphrase", "passcode",
        check=_spoken,
    ),
    _shape(
        "password",
        r"(?i)\bauthorization[\"']?\s?[:=]\s?[\"']?basic\s(?P<v>[A-Za-z0-9+/=]{8,500}+)",
        "basic",
    ),
    _shape(
        "jwt", r"(?<![\w-])eyJ[\w-]{10,2000}+\.[\w-]{10,4000}+\.[\w-]{5,1000}+", "eyj", flags=re.ASCII
    ),
    _shape("key", r"\b(?:sk-ant|sk|pk|rk)[-_](?:live|test|api\d\d|proj)?[-_]?[A-Za-z0-9_-]{20,200}+",
           "sk-", "sk_", "pk-", "pk_", "rk-", "rk_"),
    _shape(
        "key",
        r"\b(?:rnd|sbp|sb_secret|sb_publishable|ghp|gho|ghs|ghu|ghr|github_pat|xox[abprse]|xapp|glpat|npm|pypi"
        r"|whsec|dop_v1)"
        r"[-_][A-Za-z0-9_-]{16,200}+",
        "rnd", "sbp", "sb_", "gh", "github", "xox", "xapp", "glpat", "npm", "pypi", "whsec", "dop_",
    ),
    _shape("key", r"\bhooks\.slack\.com/(?:services|workflows)/(?P<v>[A-Za-z0-9/]{20,120}+)", "hooks.slack"),
    _shape("key", r"\bSG\.[\w-]{16,40}+\.[\w-]{16,64}+", "sg.", flags=re.ASCII),
    _shape("key", r"\bSK[0-9a-f]{32}\b", "sk"),
    _shape("key", r"\b(?:hf|shpat|lin_api|sntrys|PMAK)[-_](?P<v>[A-Za-z0-9_-]{24,200}+)",
           "hf_", "shpat", "lin_api", "sntrys", "pmak", check=_telling),
    _shape("key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}(?![\w-])", "akia", "asia", "aiza"),
    _shape("key", r"(?i)\bbearer\s(?P<v>[A-Za-z0-9._~+/-]{20,1000}+)", "bearer", check=_telling),
)  # fmt: skip

PERSONAL: Final[tuple[Shape, ...]] = (
    _shape("email", r"(?<![\w.+-])[\w.+-]{1,64}+@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}\b", "@"),
    _shape("row", r"\bKey \([^()\n]{1,200}+\)=\((?P<v>[^()\n]{1,400}+)\)", "key ("),
    _shape("row", r"\bFailing row contains \((?P<v>[^\n]{1,4000})\)", "failing row"),
    _shape("value", r"\binvalid input (?:syntax|value) for [^:\n]{1,100}+: \"(?P<v>[^\"\n]{1,400}+)\"",
           "invalid input"),
    _shape(
        "date",
        r"(?i)(?<![a-z0-9])(?:dob|d\.o\.b\.|date[ _]?of[ _]?(?:birth|death)|birth[ _]?date|birthday|"
        r"born(?: on)?|geb\.|"
        r"geboren(?: am)?|"
        r"geburtsdatum|né(?:e)? le|date de naissance|(?:fecha de )?nacimiento|nacid[oa] el|"
        r"data de nascimento|"
        r"nascid[oa] em|data di nascita|nat[oa] il)(?:[\"']?\s{0,2}+[:=]?\s{0,2}+[\"']?)"
        rf"(?P<v>{_DATE})",
        "dob", "d.o.b", "date", "birth", "born", "geb", "né", "nac", "nas", "nat",
    ),
    _shape("ssn", r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])", "-", check=numbers.ssn),
    _shape(
        "id",
        r"(?i)\b(?:mrn|medical record(?: no\.?| number| #)?|"
        r"patient (?:id|no\.?|number)|chart (?:no\.?|number)|"
        r"ssn|social security(?: no\.?| number| #)?|nhs(?: no\.?| number)?|"
        r"nino|bsn|nif|nie|dni|utente|sns|sécu|"
        r"passport(?: no\.?| number)?|"
        r"(?:insurance|policy|member|medicare|medicaid) (?:id|no\.?|number)|"
        r"versicherten(?:nummer|nr\.?)|kvnr|"
        r"patienten(?:nummer|nr\.?)|steuer-?id|codice fiscale|iban)\b[-:#=.\s\"']{0,4}+"
        r"(?P<v>[A-Z0-9][A-Z0-9 ./-]{3,30}[A-Z0-9])(?![A-Z0-9])",
        "mrn", "medical", "patient", "chart", "ssn", "social", "nhs", "nino", "bsn", "nif", "nie", "dni",
        "utente", "sns", "sécu", "passport", "insurance", "policy", "member", "medicare", "medicaid",
        "versicherten", "kvnr", "steuer", "codice", "iban",
        check=_numbered,
    ),
    _shape("id", r"(?<![\w.-])\d{3} \d{3} \d{4}(?![\w-])", " ", check=numbers.nhs),
    _shape("id", r"(?<![\w.:-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\w:-])", check=numbers.steuer_id),
    _shape("id", r"(?<![\w.-])[A-Z]\d{9}(?![\w-])", check=numbers.kvnr),
    _shape(
        "id",
        r"(?<![\w.-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:2[AB]|\d{2})"
        r" ?\d{3} ?\d{3} ?\d{2}(?![\w-])",
        check=numbers.nir,
    ),
    _shape("id", r"(?<![\w.-])(?:\d{8}|[XYZ]-?\d{7})-?[A-Z](?![\w-])", check=numbers.dni),
    _shape(
        "id",
        r"(?<!\w)[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z](?!\w)",
        check=numbers.codice_fiscale,
    ),
    _shape("id", r"(?<![\w.-])756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}(?![\w-])", "756", check=numbers.ahv),
    _shape("id", r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])", ".", check=numbers.cpf),
    _shape("id", r"(?<![\w-])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![\w-])"),
    _shape(
        "id",
        r"(?<![\w-])[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?"
        r"[AC-HJKMNP-RT-Y]{2}\d{2}(?![\w-])",
    ),
    _shape("account", r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])",
           check=numbers.iban),
    _shape("account", r"(?<![\w.-])\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?![\w-])", check=numbers.card),
    _shape("phone", r"(?<![\w.+-])\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}(?![\w-])", "+"),
    _shape("phone", r"(?<![\w.+-])\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[ .-]\d{4}(?![\w-])"),
    _shape(
        "phone",
        r"(?i)\b(?:tel(?:ephone|efon|éfono|efone|efono)?|phone|mobile|mobil|handy|móvil|portable|fax)\.?"
        r"(?: no\.?| nr\.?| number)?\s{0,2}+[:=.]?\s{0,2}+(?P<v>\(?[+0]\d[\d ()/.-]{4,20}\d)",
        "tel", "phone", "mobil", "handy", "móvil", "portable", "fax",
    ),
    _shape(
        "address",
        rf"\b\d{{1,5}}[A-Za-z]?,? (?:{_WORD} ){{1,3}}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr"
        rf"|Boulevard|Blvd|Court|Ct|Place|Pl|Terrace|Way|Close|Crescent|Square|Quay)\b(?! [a-z])",
    ),
    _shape(
        "address",
        r"\b[A-ZÄÖÜ][a-zäöüß-]{2,30}?(?:straße|strasse|str\.|gasse|allee|platz|weg) ?\d{1,4}[a-z]?\b",
    ),
    _shape(
        "address",
        r"\b\d{1,4},? (?:bis |ter )?(?:rue|avenue|boulevard|chemin|place|impasse|allée|quai) "
        r"(?:(?:de|du|des|la|le|les) |l['’]|d['’]){0,3}" + _WORD,
        "rue", "avenue", "boulevard", "chemin", "place", "impasse", "allée", "quai",
    ),
    _shape(
        "address",
        rf"\b(?:Calle|Avenida|Avda\.|Plaza|Rua|Travessa|Praça|Via|Viale|Corso|Piazza) "
        rf"(?:(?:de|del|da|do|dos|das|la|los|las|della|di|dei) ){{0,2}}{_WORD}(?: {_WORD}){{0,3}},?"
        r" (?:n[.º°]? ?)?\d{1,4}\b",
    ),
    _shape("address", r"(?<![\w-])(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2})(?![\w-])"),
    _shape("address", rf"{_WORD}, (?:{_STATES}),? \d{{5}}(?:-\d{{4}})?(?![\w-])", ", "),
    _shape(
        "name",
        r"(?i:(?<![a-z0-9])(?:patient(?:in)?(?:[ _]?name)?|pt|paciente|paziente|patiente|versicherter?|"
        r"next of kin|mother|father|spouse|guardian|carer|insured|subscriber|nachname|vorname|"
        r"(?:sur|first[ _]?|last[ _]?|given[ _]?|family[ _]?|middle[ _]?)name|"
        r"nom|prénom|apellidos?|cognome))" + _LABEL + rf"(?P<v>{_WORD}(?:,? {_WORD}){{0,3}})",
        ":", "=",
        check=_person,
    ),
    _shape(
        "name",
        r"(?i:\b(?:full[_ ]?name|signed(?: by)?|nombre|nome|contact))" + _LABEL +
        rf"(?P<v>{_WORD}(?:,? {_WORD}){{1,3}})",
        ":", "=",
        check=_person,
    ),
    _shape(
        "name",
        rf"\b(?:Mr|Mrs|Ms|Dr|Prof|Mme|Mlle)\b\.? (?P<v>{_WORD}(?: {_WORD}){{0,2}})|"
        rf"\b(?:Herrn?|Frau|Monsieur|Madame|Señora?|Signora?|Sr\.|Sra\.|Sig\.|Dott\.)"
        rf" {_WORD}(?: {_WORD}){{0,2}}",
    ),
    _shape(
        "ip",
        r"(?i)\b(?:client|remote|user|visitor|source|x-forwarded-for|ip)(?:[ _-]?(?:ip|addr(?:ess)?))?"
        r"[\"']?[:= ]"
        r"\s?[\"']?(?P<v>\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?![\w.])",
        "ip", "client", "remote", "user", "visitor", "source", "x-forwarded-for",
        check=_public,
    ),
)  # fmt: skip
"""Identifiers of people, in the order in which they are looked for."""
NUMERIC: Final = frozenset({"ssn", "id", "account", "phone", "address", "date", "ip"})
"""Kinds that have digits."""
