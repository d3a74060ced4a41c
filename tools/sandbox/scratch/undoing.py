"""What any role may change about itself, set back: its settings and its password belong to the server.

PostgreSQL lets every role run ALTER ROLE on itself with SET and PASSWORD, and nothing takes that away. A
copy's login can act as roles that other copies share, so what was changed is found and put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tools.sandbox.scratch.session import ScratchSession

_SETTINGS: Final = """
select s.setdatabase::bigint, r.rolname, s.setconfig
from pg_catalog.pg_db_role_setting s join pg_catalog.pg_roles r on r.oid = s.setrole
where r.rolname <> %(login)s and pg_catalog.pg_has_role(%(login)s, r.oid, 'MEMBER')
  and not pg_catalog.pg_has_role(r.oid, %(login)s, 'MEMBER')
"""
_PASSWORDS: Final = """
select a.rolname, a.rolpassword from pg_catalog.pg_authid a
where a.rolname <> %(login)s and pg_catalog.pg_has_role(%(login)s, a.oid, 'MEMBER')
"""
_FORGET: Final = """
delete from pg_catalog.pg_db_role_setting
where setdatabase = %s and setrole = (select oid from pg_catalog.pg_roles where rolname = %s)
"""
_REMEMBER: Final = """
insert into pg_catalog.pg_db_role_setting (setdatabase, setrole, setconfig)
select %s, oid, %s from pg_catalog.pg_roles where rolname = %s
"""
_GIVE_BACK: Final = "update pg_catalog.pg_authid set rolpassword = %s where rolname = %s"


@dataclass(frozen=True, slots=True)
class Themselves:
    """Settings by (database, role) and passwords by role, of the roles that a login can act as."""

    login: str
    settings: dict[tuple[int, str], list[str]]
    passwords: dict[str, str | None]

    @classmethod
    def read(cls, session: ScratchSession, login: str) -> Themselves:
        """As it is now, over a superuser's session."""
        who = {"login": login}
        settings: list[tuple[Any, ...]] = session.rows(_SETTINGS, who)
        passwords = dict(session.rows(_PASSWORDS, who))
        session.commit()
        return cls(login, {(database, name): config for database, name, config in settings}, passwords)

    def undo(self, session: ScratchSession) -> list[str]:
        """Set back what has changed since; gives the roles. A role made since has nothing to go back to."""
        now = Themselves.read(session, self.login)
        changed: set[str] = set()
        for key in self.settings.keys() | now.settings.keys():
            if self.settings.get(key) == now.settings.get(key) or key[1] not in self.passwords:
                continue
            changed.add(key[1])
            session.run(_FORGET, key)
            if key in self.settings:
                session.run(_REMEMBER, [key[0], self.settings[key], key[1]])
        for name, secret in self.passwords.items():
            if name in now.passwords and now.passwords[name] != secret:
                changed.add(name)
                session.run(
                    "update pg_catalog.pg_authid set rolpassword = %s where rolname = %s", [secret, name]
                )
        session.commit()
        return sorted(changed)
