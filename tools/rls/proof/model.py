"""Who may see what: the model that a proof judges by. Inferred from the schema, corrected in sergei.toml.

    Identity     where the database learns who calls: auth.uid(), a claim, a setting, the role
    Anchor       a table whose rows are records that belong to somebody: a profile, a household, a tenant
    Opening      a table whose rows open an anchor's row to an account: a grant, a membership, an assignment
    Belonging    what each table's rows belong to, and who is expected to do what with them

Names of tables are `schema.name`, unquoted, as everywhere in a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

COMMANDS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
STAFF: Final = "*"
"""The anchor of an opening that opens no single record but a staff role."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the caller's identity comes from.

    `kind`: uid (auth.uid(), the claim sub), claim (a path in the JWT), setting (current_setting of
    `path[0]`), role (current_user). `forged` is a path below user_metadata, which people write themselves.
    """

    kind: Literal["uid", "claim", "setting", "role"]
    path: tuple[str, ...] = ("sub",)

    @property
    def name(self) -> str:
        """`auth.uid()`, `auth.jwt() app_metadata.org_id`, `current_setting(app.tenant_id)`, ..."""
        match self.kind:
            case "uid":
                return "auth.uid()"
            case "claim":
                return "auth.jwt() " + ".".join(self.path)
            case "setting":
                return f"current_setting({self.path[0]})"
            case _:
                return "current_user"

    @property
    def forged(self) -> bool:
        """Whether the caller writes this value himself."""
        return self.kind == "claim" and "user_metadata" in self.path


@dataclass(frozen=True, slots=True)
class Hop:
    """One foreign key (or what is used as one) followed from a row to its parent."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How a row names an account: hops to follow, then the column that equals `identity`."""

    hops: tuple[Hop, ...]
    table: str
    column: str
    identity: Identity

    def text(self) -> str:
        """`owner_account_id`, or `provider_id -> providers.account_id`."""
        steps = [", ".join(hop.columns) for hop in self.hops[:1]]
        steps += [f"{hop.table.partition('.')[2]}.{', '.join(hop.columns)}" for hop in self.hops[1:]]
        last = f"{self.table.partition('.')[2]}.{self.column}" if self.hops else self.column
        return " -> ".join([*steps, last])


@dataclass(frozen=True, slots=True)
class Condition:
    """One test that a living row passes: a status, an expiry, a flag.

    `kind`: one_of (`values` live), null, not_null, future (null or later than now), past (null or earlier
    than now), true, false. `hops` lead from the row to the table that has the column (a consent, say).
    `tested`: some policy or helper of the schema looks at the column today.
    """

    hops: tuple[Hop, ...]
    table: str
    column: str
    kind: Literal["one_of", "null", "not_null", "future", "past", "true", "false"]
    values: tuple[str, ...] = ()
    tested: bool = True

    def text(self) -> str:
        """`status is active`, `expires_at not past`, `consents.withdrawn_at is null`."""
        name = f"{self.table.partition('.')[2]}.{self.column}" if self.hops else self.column
        said = {
            "one_of": "is " + " or ".join(self.values),
            "null": "is null",
            "not_null": "is not null",
            "future": "not past",
            "past": "not in the future",
            "true": "is true",
            "false": "is false",
        }
        return f"{name} {said[self.kind]}"


@dataclass(frozen=True, slots=True)
class Rank:
    """One value of a level column and what its holder may do: any of read, write, manage."""

    value: str
    rights: frozenset[Literal["read", "write", "manage"]]


@dataclass(frozen=True, slots=True)
class Opening:
    """A table whose rows open a row of `anchor` to an account while all `conditions` hold.

    `scope` leads to the anchor (empty where the opening is the anchor's own column). For `anchor` STAFF the
    row makes its account staff, and `level` names the role column. `accepts`: (column, from, to) transitions
    that the account may make itself on its own row, such as status pending -> active.
    """

    table: str
    anchor: str
    scope: tuple[Hop, ...]
    account: Way
    conditions: tuple[Condition, ...] = ()
    level: str = ""
    ranks: tuple[Rank, ...] = ()
    accepts: tuple[tuple[str, str, str], ...] = ()

    @property
    def name(self) -> str:
        """The table without its schema; openings of one table through two accounts are told apart."""
        column = self.account.hops[0].columns[0] if self.account.hops else self.account.column
        return f"{self.table.partition('.')[2]}.{column}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A table whose rows are records that belong to somebody. `owners` are columns that name the owner.

    `claims`: identities (a claim, a setting, a role) whose value is this record's key: a tenant by token.
    `parents`: anchors whose insiders are insiders here too (an organisation's members for its patients).
    The accounts themselves are an anchor as well: its key column is compared with the identity.
    `conditions` are what lookups test of the record itself (archived_at is null); those whose hops begin
    with an owner's column are about the owner's account. Records without a table of their own, such as
    tenants that exist only as a value, have the table `(tenant_id)` and that column as their key.
    """

    table: str
    key: str
    owners: tuple[Way, ...] = ()
    claims: tuple[Identity, ...] = ()
    parents: tuple[tuple[Hop, ...], ...] = ()
    conditions: tuple[Condition, ...] = ()


class Kind(StrEnum):
    """What a table is to the model."""

    SCOPED = "scoped"  # its rows belong to anchors
    OWN = "own"  # its rows belong to accounts only
    REFERENCE = "reference"  # the same for everybody, read-only for API roles
    SERVICE = "service"  # no API role has any business there
    STAFF = "staff"  # only staff roles have
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a table's rows belong to.

    `paths`: each a chain of hops to an anchor (empty chain: the table is the anchor). `parties`: accounts
    that the row is also about (recipient, grantee): they may read it. `authors`: who wrote it: opens nothing
    where there is a path. `open_rows`: a row that meets this condition is for everybody (is_public).
    `expect`: command -> categories that may do it (see categories.py); empty where defaults hold.
    """

    table: str
    kind: Kind
    paths: tuple[tuple[Hop, ...], ...] = ()
    anchors: tuple[str, ...] = ()
    parties: tuple[Way, ...] = ()
    authors: tuple[Way, ...] = ()
    open_rows: Condition | None = None
    expect: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    why: str = ""


@dataclass(frozen=True, slots=True)
class StaffRole:
    """Claims that make a caller staff, as policies ask for them; `opening` where a table must agree."""

    name: str
    claims: Mapping[str, str]
    """Dotted claim path -> value, e.g. `app_metadata.staff_role` -> `reviewer`."""
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """Everything a proof believes about who may see what. `doubts` are questions for a person."""

    identities: tuple[Identity, ...]
    accounts: str
    """The anchor table of accounts, e.g. `auth.users`; empty where callers are no accounts."""
    anchors: Mapping[str, Anchor]
    openings: tuple[Opening, ...]
    tables: Mapping[str, Belonging]
    staff: tuple[StaffRole, ...] = ()
    constants: Mapping[tuple[str, str], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[str, ...]]
    )
    """Values that policies and helpers compare a column with: (table, column) -> constants."""
    claim_values: Mapping[tuple[str, ...], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, ...], tuple[str, ...]]
    )
    """Claim path -> constants that policies and helpers compare it with."""
    carried: Mapping[Identity, str] = field(default_factory=dict[Identity, str])
    """Claims and settings that say which record a session works in -> its table. A row must agree with them,
    so that they open nothing by themselves; an honest token carries them all the same."""
    calls: Mapping[str, Mapping[str, frozenset[str]]] = field(
        default_factory=dict[str, Mapping[str, frozenset[str]]]
    )
    """Function -> what a person said that calls do: `write public.t` -> standings, `changes` -> columns,
    `given public.t status = revoked` -> nobody, as with such a row it refuses."""
    declared: frozenset[str] = frozenset()
    """Tables whose part of the model a person confirmed in sergei.toml."""
    doubts: tuple[str, ...] = ()
