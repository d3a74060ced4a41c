"""Statements about who may do what: policies, grants, default privileges, roles, definer functions, owners,
publications. What they mean, in words, as far as the statement itself tells; `standing` adds the catalog.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from tools.database.dropping import covers_all, dotted, object_kind
from tools.database.reach import strings

API_ROLES: Final = frozenset({"public", "anon", "authenticated"})
"""Roles that anybody who can reach the API has."""
_DANGEROUS: Final = {
    "superuser": "passes every check of the whole server",
    "bypassrls": "sees every row of every patient: no policy binds it",
    "createrole": "may create roles and give them rights",
    "isreplication": "may copy the whole database",
}


class Meaning(NamedTuple):
    """What a statement about access does. `refusal` forbids it, with a `hint`."""

    command: str
    consequence: str = ""
    destructive: bool = False
    refusal: str = ""
    hint: str = ""


def describe_access(node: Message) -> Meaning | None:
    """The meaning of a statement about access; None when it is of another kind."""
    if isinstance(node, pb.CreatePolicyStmt | pb.AlterPolicyStmt):
        return _policy(node)
    if isinstance(node, pb.GrantStmt):
        return _grant(node)
    if isinstance(node, pb.GrantRoleStmt):
        return _membership(node)
    if isinstance(node, pb.AlterDefaultPrivilegesStmt):
        return _defaults(node)
    if isinstance(node, pb.CreateRoleStmt | pb.AlterRoleStmt):
        return _role(node)
    if isinstance(node, pb.CreateFunctionStmt | pb.AlterFunctionStmt):
        return _function(node)
    if isinstance(node, pb.AlterOwnerStmt):
        return _owner(node)
    if isinstance(node, pb.CreatePublicationStmt | pb.AlterPublicationStmt):
        return _publication(node)
    if isinstance(node, pb.DropRoleStmt):
        return Meaning("DROP ROLE", f"{', '.join(roles_of(node.roles))} cannot log in or act any more.", True)
    if isinstance(node, pb.DropOwnedStmt):
        whose = ", ".join(roles_of(node.roles))
        return Meaning(
            "DROP OWNED", f"EVERYTHING that {whose} owns here is dropped, tables with rows too.", True
        )
    if isinstance(node, pb.ReassignOwnedStmt):
        said = f"{role_name(node.newrole)} owns everything that {', '.join(roles_of(node.roles))} owned."
        return Meaning("REASSIGN OWNED", said, True)
    return None


def roles_of(specs: Iterable[Message]) -> list[str]:
    """Role names of a list of RoleSpec nodes; PUBLIC is `public`."""
    return [role_name(role) for item in specs if isinstance(role := unwrap_node(item), pb.RoleSpec)]


def role_name(role: pb.RoleSpec) -> str:
    """PUBLIC is `public`, CURRENT_USER `current_user`."""
    return "public" if role.roletype == pb.ROLESPEC_PUBLIC else role.rolename or "current_user"


def _policy(node: pb.CreatePolicyStmt | pb.AlterPolicyStmt) -> Meaning:
    table = ".".join(part for part in (node.table.schemaname, node.table.relname) if part)
    # ALTER POLICY without TO keeps the roles that the policy has.
    unsaid = "PUBLIC" if isinstance(node, pb.CreatePolicyStmt) else "Whoever the policy is for"
    roles = ", ".join(roles_of(node.roles)) or unsaid
    permissive = not isinstance(node, pb.CreatePolicyStmt) or node.permissive
    always = permissive and any(
        covers_all(part) for part in (node.qual, node.with_check) if part.WhichOneof("node")
    )
    opens = f"{roles} may reach every row of {table} that the policy accepts (permissive policies are OR-ed)."
    if always:
        opens += f" Its condition is always true: that is EVERY row of {table}."
    if not permissive:
        opens = f"{roles} may lose rows of {table} that the policy does not accept."
    words = "CREATE POLICY" if isinstance(node, pb.CreatePolicyStmt) else "ALTER POLICY"
    return Meaning(words, opens, always)


def _privileges(items: Iterable[Message]) -> str:
    said: list[str] = []
    for item in items:
        part = unwrap_node(item)
        if isinstance(part, pb.AccessPriv):
            columns = f" ({', '.join(strings(part.cols))})" if part.cols else ""
            said.append((part.priv_name.upper() or "ALL") + columns)
    return ", ".join(said) or "ALL PRIVILEGES"


def _grant(node: pb.GrantStmt) -> Meaning:
    roles = roles_of(node.grantees)
    everything = node.targtype == pb.ACL_TARGET_ALL_IN_SCHEMA
    on = ", ".join(_object(item) for item in node.objects)
    on = f"every {object_kind(node.objtype).lower()} in schema {on}" if everything else on
    what, open_to = _privileges(node.privileges), [role for role in roles if role in API_ROLES]
    if node.is_grant:
        said = f"{', '.join(roles)} gains {what} on {on}."
        if open_to:
            said += f" {', '.join(open_to)}: that is everybody who can reach the API."
        if node.grant_option:
            said += " They may pass it on to others."
        return Meaning("GRANT", said, bool(open_to))
    said = f"{', '.join(roles)} loses {what} on {on}."
    said += " Grants to anon and authenticated by name stay." if "public" in roles else ""
    said += " CASCADE also takes what they passed on." if node.behavior == pb.DROP_CASCADE else ""
    return Meaning("REVOKE", said)


def _object(item: Message) -> str:
    node = unwrap_node(item)
    if isinstance(node, pb.RangeVar):
        return f"{node.schemaname}.{node.relname}" if node.schemaname else node.relname
    return ".".join(dotted(item)) + ("()" if isinstance(node, pb.ObjectWithArgs) else "")


def _membership(node: pb.GrantRoleStmt) -> Meaning:
    given = [
        part.priv_name for item in node.granted_roles if isinstance(part := unwrap_node(item), pb.AccessPriv)
    ]
    to, what = ", ".join(roles_of(node.grantee_roles)), ", ".join(given)
    if node.is_grant:
        return Meaning("GRANT ROLE", f"{to} may do everything that {what} may.", destructive=True)
    return Meaning("REVOKE ROLE", f"{to} may no longer act as {what}.")


def _defaults(node: pb.AlterDefaultPrivilegesStmt) -> Meaning:
    roles = roles_of(node.action.grantees)
    kind = object_kind(node.action.objtype).lower()
    scope, makers = "in every schema", "the login that runs this"
    for item in node.options:
        option = unwrap_node(item)
        if isinstance(option, pb.DefElem) and option.arg.HasField("list"):
            listed = option.arg.list.items
            if option.defname == "schemas":
                scope = f"in schema {', '.join(strings(listed))}"
            elif option.defname == "roles":
                makers = ", ".join(roles_of(listed))
    verb = "gains" if node.action.is_grant else "no longer gains"
    said = (
        f"From now on {', '.join(roles)} {verb} {_privileges(node.action.privileges)} on every new {kind}"
        f" that {makers} creates {scope}; what exists stays as it is."
    )
    return Meaning("ALTER DEFAULT PRIVILEGES", said, node.action.is_grant and bool(API_ROLES & set(roles)))


def _role(node: pb.CreateRoleStmt | pb.AlterRoleStmt) -> Meaning:
    words = "CREATE ROLE" if isinstance(node, pb.CreateRoleStmt) else "ALTER ROLE"
    name = node.role if isinstance(node, pb.CreateRoleStmt) else role_name(node.role)
    options = {
        option.defname: str(option.arg)
        for item in node.options
        if isinstance(option := unwrap_node(item), pb.DefElem)
    }
    if "sval" in options.get("password", ""):
        return Meaning(
            words,
            refusal="it would put a password into the record",
            hint=f"Leave PASSWORD away and set it with psql: \\password {name}",
        )
    strong = [
        f"{name} {why}" for option, why in _DANGEROUS.items() if "boolval: true" in options.get(option, "")
    ]
    if "boolval: true" in options.get("canlogin", ""):
        strong.append(f"{name} may log in")
    return Meaning(words, ". ".join(strong) + "." if strong else f"{words} {name}.", bool(strong))


def _function(node: pb.CreateFunctionStmt | pb.AlterFunctionStmt) -> Meaning:
    create = isinstance(node, pb.CreateFunctionStmt)
    items = node.options if isinstance(node, pb.CreateFunctionStmt) else node.actions
    options = [option for item in items if isinstance(option := unwrap_node(item), pb.DefElem)]
    words = "PROCEDURE" if create and node.is_procedure else "FUNCTION"
    command = f"{'CREATE' if create else 'ALTER'} {words}"
    definer = any(option.defname == "security" and option.arg.boolean.boolval for option in options)
    if not definer:
        return Meaning(command)
    said = (
        "It runs with its owner's rights for whoever may execute it; policies that do not bind the owner are"
        " passed."
    )
    path = any(option.defname == "set" and "search_path" in str(option.arg) for option in options)
    if create and not path:
        said += " It sets no search_path: who can create objects in the path can take it over."
    if create:
        said += " Everybody (PUBLIC) may execute a new function until EXECUTE is revoked."
    return Meaning(command, said)


def _owner(node: pb.AlterOwnerStmt) -> Meaning:
    kind, owner = object_kind(node.object_type), role_name(node.newowner)
    name = ".".join(dotted(node.object))
    said = f"{owner} owns {kind.lower()} {name} and may change, drop and grant it."
    if kind in {"FUNCTION", "PROCEDURE"}:
        said += f" If it is SECURITY DEFINER, it runs with the rights of {owner} from now on."
    return Meaning(f"ALTER {kind}", said, destructive=True)


def _publication(node: pb.CreatePublicationStmt | pb.AlterPublicationStmt) -> Meaning:
    create = isinstance(node, pb.CreatePublicationStmt)
    command, name = f"{'CREATE' if create else 'ALTER'} PUBLICATION", node.pubname
    leaves = isinstance(node, pb.AlterPublicationStmt) and node.action == pb.AP_DropObjects
    if leaves:
        return Meaning(command, f"Subscribers of {name} get no more changes of these tables.")
    what = "EVERY table" if node.for_all_tables else "these tables"
    said = f"Changed rows of {what} are streamed to the subscribers of {name}."
    if name == "supabase_realtime":
        said += " Realtime shows them to clients whom the SELECT policies of the table let through."
    return Meaning(command, said, destructive=True)
