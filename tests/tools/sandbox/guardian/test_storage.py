"""Files lie at {account}/{profile}/{file}: who may put them there, who sees them."""

from __future__ import annotations

import uuid
from typing import Any, LiteralString

import pytest

from tests.tools.sandbox.guardian.conftest import Act, Denied, attempt, one


@pytest.mark.parametrize(
    ("role", "folder", "allowed"),
    [
        ("owner", "{owner}/{subject}", True),
        ("write_delegate", "{owner}/{subject}", True),
        ("read_delegate", "{owner}/{subject}", False),
        ("contributing_provider", "{owner}/{subject}", False),
        ("stranger", "{owner}/{subject}", False),
        ("stranger", "{stranger}/{subject}", False),
        ("stranger", "{owner}/{stranger_self}", False),
        ("owner", "{owner}/{subject}/deeper", False),
        ("owner", "{owner}/{subject}x", False),
        ("owner", "{owner}", False),
        ("owner", "{owner}/{archived}", False),
    ],
)
def test_files_are_uploaded_into_a_writable_folder_only(
    act: Act, names: dict[str, Any], role: str, folder: str, allowed: bool
) -> None:
    query: LiteralString = """insert into storage.objects (bucket_id, name, owner_id)
        values ('documents', %(path)s, %(me)s)"""
    values = {"path": folder.format(**names) + "/new.pdf", "me": str(names[role])}
    with act(role) as connection:
        if not allowed:
            with pytest.raises(Denied):
                attempt(connection, query, values)
            return
        assert attempt(connection, query, values) == 1
        with pytest.raises(Denied):  # in somebody else's name
            attempt(connection, query, values | {"path": values["path"] + "2", "me": str(uuid.uuid4())})


def test_files_are_seen_by_those_who_may_read_the_documents(act: Act, names: dict[str, Any]) -> None:
    query: LiteralString = "select count(*) from storage.objects where name like '%%' || %(subject)s || '%%'"
    values = {"subject": str(names["subject"])}
    for role, seen in (("owner", 2), ("read_delegate", 2), ("contributing_provider", 2), ("provider", 0),
                       ("stranger", 0), ("revoked_delegate", 0), ("expired_provider", 0)):  # fmt: skip
        with act(role) as connection:
            assert one(connection, query, values) == seen, role
    taken = {"subject": str(names["adult_child_self"])}
    with act("adult_child") as connection:  # the older file still lies in the parent's folder
        assert one(connection, query, taken) == 2
    with act("former_parent") as connection:
        assert one(connection, query, taken) == 0
