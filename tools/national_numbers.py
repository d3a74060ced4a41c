"""Numbers that states and insurers give to people, told from other numbers by their check digits. Pure."""

from __future__ import annotations

import re
from typing import Final

_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_FISCAL_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12,
         14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_APART: Final = re.compile(r"[\s./-]")


def compact(text: str) -> str:
    """Without the spaces, dots and dashes that people write between groups; upper case."""
    return _APART.sub("", text).upper()


def nhs(text: str) -> bool:
    """UK: NHS number, 10 digits, weighted sum modulo 11."""
    digits = [int(digit) for digit in compact(text)]
    check = -sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(digits) == 10 and check == digits[9]


def steuer_id(text: str) -> bool:
    """Germany: tax number, 11 digits, ISO 7064 MOD 11,10; exactly one digit repeats in the first ten."""
    digits = [int(digit) for digit in compact(text)]
    if len(digits) != 11 or digits[0] == 0:
        return False
    counts = sorted((digits[:10].count(value) for value in set(digits[:10])), reverse=True)
    if counts[0] not in (2, 3) or counts[1:] != [1] * (len(counts) - 1):
        return False
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[10]


def kvnr(text: str) -> bool:
    """Germany: health insurance number, a letter and 9 digits, alternating cross sums modulo 10."""
    number = compact(text)
    if not re.fullmatch(r"[A-Z]\d{9}", number):
        return False
    digits = [int(digit) for digit in f"{ord(number[0]) - 64:02d}{number[1:9]}"]
    total = sum(sum(divmod(digit * (index % 2 + 1), 10)) for index, digit in enumerate(digits))
    return total % 10 == int(number[9])


def nir(text: str) -> bool:
    """France: social security number, 13 characters and a key modulo 97; Corsica writes 2A and 2B."""
    number = compact(text).replace("2A", "19", 1).replace("2B", "18", 1)
    return len(number) == 15 and number.isdigit() and 97 - int(number[:13]) % 97 == int(number[13:])


def dni(text: str) -> bool:
    """Spain: DNI or NIE, 8 digits (X, Y, Z stand for 0, 1, 2) and a letter modulo 23."""
    number = compact(text)
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return len(digits) == 8 and digits.isdigit() and _LETTERS[int(digits) % 23] == number[-1]


def codice_fiscale(text: str) -> bool:
    """Italy: 16 characters, the last one a check letter."""
    number = compact(text)
    if len(number) != 16:
        return False
    total = sum(
        (int(char) if char.isdigit() else ord(char) - 65) if index % 2 else _FISCAL_ODD.get(char, 0)
        for index, char in enumerate(number[:15])
    )
    return chr(65 + total % 26) == number[15]


def bsn(text: str) -> bool:
    """Netherlands: 9 digits, weighted sum divisible by 11."""
    digits = [int(digit) for digit in compact(text)]
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return len(digits) == 9 and sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 == 0


def ahv(text: str) -> bool:
    """Switzerland: 13 digits after EAN-13, beginning with 756."""
    digits = [int(digit) for digit in compact(text)]
    weighted = sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits[:12]))
    return len(digits) == 13 and -weighted % 10 == digits[12]


def cpf(text: str) -> bool:
    """Brazil: 9 digits and two check digits modulo 11."""
    digits = [int(digit) for digit in compact(text)]
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    for size in (9, 10):
        total = sum(digit * (size + 1 - index) for index, digit in enumerate(digits[:size]))
        if total * 10 % 11 % 10 != digits[size]:
            return False
    return True


def iban(text: str) -> bool:
    """Bank account: ISO 7064 MOD 97-10 over the rotated number."""
    number = compact(text)
    rotated = number[4:] + number[:4]
    if not 15 <= len(number) <= 34 or not rotated.isalnum() or not rotated.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in rotated)) % 97 == 1


def card(text: str) -> bool:
    """Payment card: Luhn."""
    digits = [int(digit) for digit in reversed(compact(text))]
    doubled = sum(sum(divmod(digit * 2, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0 and len(set(digits)) > 1


def ssn(text: str) -> bool:
    """USA: what the Social Security Administration never gives out is none."""
    area, group, serial = text[:3], text[4:6], text[-4:]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"
