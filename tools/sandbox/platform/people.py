"""Made-up patients and other values for log lines, so that what hides real ones has something to hide."""

from __future__ import annotations

import random
import string
from typing import Final

FIRST: Final = (
    "Marisol",
    "Thaddeus",
    "Ingrid",
    "Kofi",
    "Perpetua",
    "Anselm",
    "Yuki",
    "Bronwyn",
    "Dragan",
    "Oluchi",
)
LAST: Final = (
    "Okonjo",
    "Vandermeer",
    "Castellanos",
    "Lindqvist",
    "Abernathy",
    "Nakashima",
    "Petrov",
    "Delacroix",
)
DRUGS: Final = ("metformin 500 mg", "levothyroxine 75 mcg", "sertraline 50 mg", "apixaban 5 mg")
DOCUMENTS: Final = ("discharge-summary", "blood-panel", "referral", "mri-report", "prescription")


def filled(text: str, dice: random.Random) -> str:
    """The text with its {placeholders} filled; other braces stay."""
    if "{" not in text:
        return text
    for name, value in _values(dice).items():
        text = text.replace("{" + name + "}", value)
    return text


def _values(dice: random.Random) -> dict[str, str]:
    first, last = dice.choice(FIRST), dice.choice(LAST)
    hexes = "".join(dice.choices("0123456789abcdef", k=32))
    key = f"{hexes[:8]}-{hexes[8:12]}-4{hexes[13:16]}-a{hexes[17:20]}-{hexes[20:]}"
    return {
        "patient": f"{first} {last}",
        "email": f"{first.lower()}.{last.lower()}" + "@" + "example.org",
        "phone": f"+1 555 01{dice.randint(10, 99)} {dice.randint(1000, 9999)}",
        "dob": f"{dice.randint(1938, 2021)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "mrn": f"MRN-{dice.randint(100000, 999999)}",
        "profile": key,
        "uuid": key[::-1].replace("-", "")[:20],
        "doc": f"{dice.choice(DOCUMENTS)}-{dice.randint(100, 999)}.pdf",
        "drug": dice.choice(DRUGS),
        "ms": str(dice.randint(18, 460)),
        "slow": str(dice.randint(2200, 9800)),
        "n": str(dice.randint(1, 40)),
        "big": str(dice.randint(300, 900)),
        "ip": f"203.0.113.{dice.randint(1, 254)}",
        "job": "".join(dice.choices(string.digits, k=7)),
        "pass": dice.choice(("ocr", "vision", "entities", "codes")),
    }
