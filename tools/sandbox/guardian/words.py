"""Word lists for people who do not exist.

Names are invented, so that a test which looks for one of them in an outgoing text finds it only when it
leaked: no given or family name here is a word of a language or the name of a real person.
"""

from __future__ import annotations

from typing import Final

# fmt: off
GIVEN_NAMES: Final = (
    "Aldrika", "Beovan", "Corvelle", "Dannik", "Elowith", "Faustrin", "Gwendra", "Haskell-Bo", "Ismaelle",
    "Jorvik", "Kestrelle", "Lubomar", "Maribeth-Lo", "Nivander", "Ondrelle", "Pellamy", "Quorin", "Rosvita",
    "Selwynn-Jo", "Tancredo", "Ulvenna", "Vasilko", "Wynfrida", "Xandrelle", "Yorrick-Al", "Zephirine",
    "Amberlyth", "Brannoch-Li", "Celestrin", "Drusval", "Evangor", "Florimel", "Gaspodine", "Hesperel",
    "Ingravar", "Jessamor", "Kolvane", "Lysandrel", "Mordecko", "Nerissane", "Osvaldine", "Perrivale",
    "Quillan-Mo", "Ravensk", "Sabrelline", "Thibaultine", "Umberlee-An", "Verenthe", "Wolframine",
    "Ysoldine",
)

FAMILY_NAMES: Final = (
    "Ardenquill", "Bramblethorpe", "Crowhollin", "Dunwickell", "Eastermarch", "Fennimoor", "Glasswend",
    "Hollowmere", "Inkersole", "Jadeworthy", "Kettlebrind", "Larkenfell", "Mossgarth", "Nettlecombe-Ry",
    "Oakenshard", "Pebbleham", "Quenlock", "Rookhaven", "Saltersby", "Thistlewane", "Underhollt",
    "Vellacourt", "Wexwhistle", "Yarrowden", "Zinnerly", "Ashgrovel", "Birchenough", "Copperdale-Wyn",
    "Driftmore", "Elderbank", "Foxtreddle", "Gorsewell", "Heatherstow", "Ivyscombe", "Juniperly",
    "Kindlewick", "Lanternbury", "Marrowbell", "Nightengrove", "Ottershaw", "Plumridget", "Quarrendish",
    "Reedlingham", "Silverstrow", "Tanglewise", "Umberfield", "Violhampton", "Willowsend", "Yewtreeton",
    "Zephyrhill",
)

PET_NAMES: Final = (
    "Biscotto", "Clawdine", "Fuzzbert", "Grizzolo", "Marmalino", "Noodelina", "Pawlina", "Sir-Wags",
    "Tuftsy", "Whiskerino",
)

STREETS: Final = (
    "Lantern Row", "Cobbler Steps", "Mirrorpond Lane", "Old Ferry Bank", "Thimble Court", "Windlass Street",
    "Hourglass Hill", "Copperkettle Way", "Nine Wells Road", "Candlemaker Yard",
)

CITIES: Final = (
    "Port Amberly", "Saint Orrin", "Velmouth", "Greater Pindle", "Northwick-on-Tarn", "Ellersby",
)

SPECIALITIES: Final = (
    "general practice", "paediatrics", "cardiology", "dermatology", "geriatrics", "veterinary medicine",
)
# fmt: on
SPECIES: Final = ("dog", "cat", "rabbit", "horse")

ORGANISATIONS: Final = (
    ("Lanternbury Family Practice", "practice"),
    ("Saint Orrin General Hospital", "hospital"),
    ("Velmouth Laboratory", "laboratory"),
    ("Pindle Pharmacy", "pharmacy"),
    ("Tarnside Animal Clinic", "veterinary"),
    ("Amberly Home Care", "home_care"),
)

# {name} is the given name: free text about a patient usually repeats it.
NOTES: Final = (
    "{name} felt dizzy after the evening walk and rested until nine",
    "{name} slept badly again, three short naps during the day",
    "{name} was afraid of the needle, numbing cream helped",
    "{name} lives alone since the spring and forgets the noon tablet",
    "{name} stopped the tablets without asking because of the itching",
    "{name} had a quiet week, no complaints, appetite as before",
    "{name} cried during the visit and asked not to tell the family",
    "{name} reports a rash behind the left knee since the holiday",
    "{name} drinks about two glasses of wine on most evenings",
    "{name} wants the results explained to the grandmother as well",
)
