"""Text is cleaned of secrets and of what identifies a person, and technical text is left alone."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from re import _parser as sre  # pyright: ignore[reportPrivateUsage, reportUnknownVariableType, reportAttributeAccessIssue]
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import national_numbers as numbers
from tools.redaction import Redactor, plain
from tools.redaction_shapes import PERSONAL, SECRETS, Shape

ROOT = Path(__file__).parents[2]

IDENTIFYING = (
    ("mail to jane.roe+x@clinic.example.org now", "jane.roe"),
    ("call +353 86 123 4567 today", "123 4567"),
    ("call (415) 555-0132 today", "555-0132"),
    ("Tel.: 030 901820 12", "901820"),
    ("SSN 123-45-6789", "123-45-6789"),
    ("MRN: A-100423", "100423"),
    ("patient number 00482913", "00482913"),
    ("NHS 943 476 5919", "943 476 5919"),
    ("Steuer-ID 86095742719", "86095742719"),
    ("id 86095742719 in a row", "86095742719"),
    ("KVNR A123456780", "A123456780"),
    ("nir 1 85 05 78 006 084 91", "006 084"),
    ("DNI 12345678Z", "12345678Z"),
    ("NIE X1234567L", "X1234567L"),
    ("cf RSSMRA85T10A562S", "RSSMRA85"),
    ("BSN 111222333", "111222333"),
    ("AHV 756.9217.0769.85", "9217"),
    ("utente 123456789", "123456789"),
    ("CPF 529.982.247-25", "982.247"),
    ("IBAN DE89 3704 0044 0532 0130 00", "0044 0532"),
    ("card 4111 1111 1111 1111", "1111 1111"),
    ("QQ 12 34 56 C and AB 12 34 56 C", "AB 12 34 56 C"),
    ("DOB: 1984-03-12", "1984-03-12"),
    ("date of birth 12 March 1984", "12 March"),
    ("geboren am 12.03.1984", "12.03.1984"),
    ("née le 12/03/1984", "12/03/1984"),
    ("lives at 42 Maple Grove Road", "Maple Grove"),
    ("Lindenstraße 14b", "Lindenstra"),
    ("12 rue de la République", "République"),
    ("Calle de Alcalá, 48", "Alcalá"),
    ("Dublin, SW1A 1AA", "SW1A"),
    ("Springfield, IL 62704", "62704"),
    ("Patient: Jane Roe was seen", "Jane"),
    ("patient=ROE, JANE ward=3", "ROE"),
    ('{"full_name": "Jane Roe"}', "Jane"),
    ("seen by Dr. Amara Okafor", "Okafor"),
    ("Frau Müller kam", "Müller"),
    ("client_ip=81.2.69.142", "81.2.69.142"),
    ("DETAIL: Key (full_name)=(Jane Roe) already exists.", "Jane"),
    ("DETAIL: Failing row contains (7, Jane Roe, 1984-03-12, (x)).", "Roe"),
    ('ERROR: invalid input syntax for type integer: "Jane Roe"', "Jane"),
)
SECRET = (
    ("postgres://ada:hunter2@db/x", "hunter2"),
    ("PASSWORD=hunter2 next", "hunter2"),
    ("api_key: 9f8e7d6c5b4a3210", "9f8e7d6c"),
    ('"client_secret": "abc123def456"', "abc123def456"),
    ("ALTER ROLE x PASSWORD 'hunter2'", "hunter2"),
    ("Authorization: Bearer abcdef1234567890abcdef", "abcdef1234"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjg"),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("ghp_abcdefghijklmnopqrstuvwxyz0123", "abcdefghij"),
    ("sb_secret_abcdefghijklmnop1234", "abcdefghij"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
)
TECHNICAL = """
2026-11-22T10:55:09.123456+00:00 LOG: duration: 1204.311 ms  plan: Seq Scan on public.profiles
550e8400-e29b-41d4-a716-446655440000 9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
commit ca5e11a9f0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5 on main, version 17.10.2-rc.1, build 20261122105509
supabase/migrations/20240115093000_create_profiles.sql
postgresql://USER:PASSWORD@HOST:5432/DATABASE
listening on 127.0.0.1:5432, 10.0.0.0/8, 192.168.1.20, source 203.0.113.7, ::1
srv-cu2k4ijqf0us73fbv7s0 dep-cu2k4j3qf0us73fbv820 evm-cu2k4ijqf0us73fbv7s0 prj-cu2k4ijqf0us73fbv7rg
epoch 1763808909 and 1763808909123, 86400000 ms, 1048576 bytes, oid 16384, xid 4294967295, lsn 0/16B3748
SELECT count(*) FROM public.profiles WHERE id = $1 AND status IN ('active', 'archived') LIMIT 100
create policy own_rows on public.profiles for select using (auth.uid() = id);
alter table public.visits add constraint visits_fk foreign key (profile_id) references public.profiles (id);
ERROR: relation "public.patient_notes" does not exist at character 15 [42P01]
password: required; token: string; secret: ${DB_SECRET}; api_key = os.getenv("KEY")
npm install react@18.2.0 @types/node@22.1.0 python3.11 numpy==1.26.4
Patient: True, policy: Select, schema: Public, name: Prod Database
cost=0.43..8.45 rows=1 width=64 (actual time=0.012..0.013 rows=1 loops=1)
HTTP/1.1 429 Too Many Requests, retry-after: 30, x-request-id: 7f3a-22b1-0042
error 0x80070005 at 0xffffffff81000000, mac 00:1a:2b:3c:4d:5e, port 55432
M3 MacBook, IPv4, UTF-8, ISO-8601, RFC 7807, 164.312(a)(1), SQLSTATE 22P02, B-tree, T1, C3.large
chapter 3.2.1.4 of the docs, nodes 12 14 16, 1-2-3, 100-200-3000, 3-5 ms, 1 234 567 rows
"""


@pytest.mark.parametrize(("text", "value"), IDENTIFYING)
def test_what_identifies_a_person_is_replaced(text: str, value: str):
    cleaned = Redactor().text(text)
    assert value not in cleaned and re.search(r"<[a-z-]+:[0-9a-f]{8}>", cleaned)
    assert Redactor(strict=False).text(text) == text, "with phi off it is shown"


@pytest.mark.parametrize(("text", "value"), SECRET)
@pytest.mark.parametrize("strict", [True, False])
def test_a_secret_is_replaced_in_every_mode(text: str, value: str, strict: bool):
    assert value not in Redactor(strict=strict).text(text)


@pytest.mark.parametrize("line", TECHNICAL.strip().splitlines())
def test_technical_text_is_left_alone(line: str):
    assert Redactor().text(line) == line


def test_our_own_source_and_migrations_raise_no_alarm():
    redactor = Redactor()
    files = [*ROOT.glob("tools/rls/**/*.py"), *ROOT.glob("tools/sandbox/guardian/schema/*.sql")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) > 3_000
    assert [line for line in lines if redactor.text(line) != line] == []


def test_cleaning_twice_changes_nothing_more():
    redactor = Redactor()
    for text, _ in (*IDENTIFYING, *SECRET):
        once = redactor.text(text)
        assert redactor.text(once) == once


def test_the_short_cut_for_plain_words_skips_nothing_that_a_pattern_would_find():
    texts = [text for text, _ in (*IDENTIFYING, *SECRET)] + [
        "by Dr Okafor",
        "Frau Weber",
        "a",
        "active",
        "E11.9",
    ]
    pieces = {piece for text in texts for piece in (text, *text.split(), *text.split(": "))}
    for piece in pieces:
        assert not plain(piece) or Redactor().objection(piece) is None, piece


@pytest.mark.parametrize("shape", [*SECRETS, *PERSONAL], ids=lambda shape: shape.pattern.pattern[:30])
def test_every_pattern_does_a_bounded_amount_of_work_per_character(shape: Shape):
    """No repeat is open-ended, so that a text of twice the length is at most twice the work."""
    parse = cast("Callable[[str, int], Any]", sre.parse)  # pyright: ignore[reportUnknownMemberType]  no types
    assert _work(parse(shape.pattern.pattern, shape.pattern.flags)) <= 50_000


def _work(parsed: Any) -> int:
    """Characters that one attempt may look at, when everything that can be given back is."""
    total = 1
    for operator, argument in parsed:
        name = str(operator)
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            assert int(argument[1]) <= 8_000, "an open-ended repeat"
            total += int(argument[1]) * _work(argument[2])
        elif name == "SUBPATTERN":
            total += _work(argument[-1])
        elif name == "BRANCH":
            total += sum(_work(branch) for branch in argument[1])
        elif name == "ATOMIC_GROUP":
            total += _work(argument)
    return total


digits = st.text(string.digits, min_size=6, max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.emails(domains=st.just("clinic.example")), st.text(string.ascii_letters + " .,;:\n", max_size=40))
def test_no_email_survives_anywhere_in_a_text(address: str, around: str):
    local = address.partition("@")[0]
    if not re.fullmatch(r"[\w.+-]{1,64}", local, re.ASCII):
        local = "jane.roe"
    assert f"{local}@clinic.example" not in Redactor().text(f"{around} {local}@clinic.example {around}")


@settings(max_examples=60, deadline=None)
@given(digits, st.sampled_from(["MRN: ", "ssn=", "patient id ", "Versichertennummer: ", "passport no. "]))
def test_no_labelled_number_survives(number: str, label: str):
    assert number not in Redactor().text(f"the {label}{number}, as said")


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.sampled_from([text for text, _ in IDENTIFYING]) | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    )
)
def test_no_identifier_survives_inside_nested_values(value: object):
    told = json.dumps(Redactor().walk(value), ensure_ascii=False)
    assert not [
        part for text, part in IDENTIFYING if part in told and text.startswith(("mail", "SSN", "DOB"))
    ]


def test_check_digits_tell_numbers_from_numbers():
    checks = {
        numbers.nhs: ("9434765919", "9434765918"), numbers.steuer_id: ("86095742719", "86095742718"),
        numbers.kvnr: ("A123456780", "A123456781"), numbers.nir: ("185057800608491", "185057800608492"),
        numbers.dni: ("12345678Z", "12345678A"),
        numbers.codice_fiscale: ("RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        numbers.bsn: ("111222333", "111222334"), numbers.ahv: ("7569217076985", "7569217076986"),
        numbers.cpf: ("52998224725", "52998224726"),
        numbers.iban: ("DE89370400440532013000", "DE88370400440532013000"),
        numbers.card: ("4111111111111111", "4111111111111112"), numbers.ssn: ("123-45-6789", "900-45-6789"),
    }  # fmt: skip
    for check, (right, wrong) in checks.items():
        assert check(right) and not check(wrong), check.__name__


def test_a_pseudonym_can_be_turned_back_only_where_the_face_asked_for_it():
    quiet, person = Redactor(), Redactor(remember=True)
    made = person.pseudonym("name", b"Jane Roe")
    assert person.reveal(made) == "Jane Roe" and person.reveal("<name:00000000>") is None
    assert quiet.reveal(quiet.pseudonym("name", b"Jane Roe")) is None
    assert person.reveal(person.pseudonym("secret", b"hunter2")) is None, "secrets never"
    assert "Jane" not in repr(person) + str(person)


def test_a_guess_does_not_get_the_pseudonym_of_a_stored_value():
    redactor = Redactor()
    stored = redactor.pseudonym("email", b"jane@clinic.example")
    assert stored not in redactor.text("jane@clinic.example")
    assert redactor.pseudonym("email", b"jane@clinic.example", scope="a query") != stored
