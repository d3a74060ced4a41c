"""What a column's comment says: people write there what a short name leaves out."""

from __future__ import annotations

import re
from typing import Final

_PERSONAL: Final = re.compile(
    r"\b(?:phi|pii|protected health|personal(?:ly)?[ -](?:data|identif\w{1,12}|information)"
    r"|date of birth|birth ?date|geburtsdatum|date de naissance|fecha de nacimiento"
    r"|(?:patient|person|member|client|guardian|relative|contact)(?:'s)? (?:full |first |last |legal )?name"
    r"|e-?mail address|(?:tele)?phone number|(?:home|postal|street) address|social security"
    r"|national id\w{0,12}|medical record number|free text about)\b",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(
    r"\b(?:no|not|never|without)\b[^.;]{0,24}\b(?:phi|pii|protected|personal\w{0,4})\b", re.IGNORECASE
)


def speaks_of_person(comment: str) -> bool:
    """Whether a comment says that the column holds something of a person; "no PHI" does not."""
    return _PERSONAL.search(comment[:2000]) is not None and _DENIED.search(comment[:2000]) is None
