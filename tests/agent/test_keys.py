"""The vendors' keys and addresses: where they come from, where they go, and what doctor says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from agent import keys
from agent.commands.doctor_keys import vendor_lines
from agent.compose import Choice, open_house
from agent.settings import Settings, load
from tools.errors import ConfigurationError
from tools.http.secret import Secret
from tools.render.client import RenderClient
from tools.resources import Resources
from tools.supabase.client import SupabaseClient

REF = "abcdefghijklmnopqrst"


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]  as its docs show it

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("none")


@pytest.fixture
def drawer():
    before, drawer = keyring.get_keyring(), Drawer()
    keyring.set_keyring(drawer)
    yield drawer
    keyring.set_keyring(before)


def settings(folder: Path, text: str = "", **environ: str) -> Settings:
    (folder / "sergei.toml").write_text(text)
    return load(folder, {"HOME": str(folder), "SERGEI_STATE_DIR": str(folder / "state"), **environ})


def test_the_environment_beats_the_keyring(tmp_path: Path, drawer: Drawer):
    assert keys.find_key(settings(tmp_path), "render") is None
    keys.keep(settings(tmp_path), "render", "rnd_from_keyring")
    assert keys.find_key(settings(tmp_path), "render") == Secret("rnd_from_keyring")
    told = settings(tmp_path, RENDER_API_KEY=" rnd_from_environment\n")
    assert keys.find_key(told, "render") == Secret("rnd_from_environment")
    assert "rnd_from" not in repr(told)
    assert keys.forget(told, "render") and not keys.forget(told, "render") and not drawer.kept


def test_a_keyring_is_not_asked_for_what_was_not_put_there(tmp_path: Path, drawer: Drawer):
    drawer.kept["sergei", "render"] = "rnd_from_elsewhere"
    assert keys.find_key(settings(tmp_path), "render") is None


@pytest.mark.parametrize(
    "address",
    ["http://api.render.com/v1", "https://render.com.evil.test/v1", "https://evilrender.com", "ftp://localhost",
     "https://evil.test", "", "http://127.0.0.1.evil.test"],
)  # fmt: skip
def test_the_key_goes_to_the_vendor_or_to_this_machine(tmp_path: Path, address: str):
    with pytest.raises(ConfigurationError, match=r"render\.api_url"):
        settings(tmp_path, f'[render]\napi_url = "{address}"\n')


@pytest.mark.parametrize(
    "address", ["https://api.render.com/v1", "http://127.0.0.1:4010", "http://localhost:1/v1"]
)
def test_an_address_that_may_have_it(tmp_path: Path, address: str):
    assert settings(tmp_path, f'[render]\napi_url = "{address}/"\n').render.api_url == address


def test_a_ref_is_a_ref(tmp_path: Path):
    assert settings(tmp_path, f'[supabase]\nproject_ref = "{REF}"\n').supabase.project_ref == REF
    with pytest.raises(ConfigurationError, match="20 letters"):
        settings(tmp_path, '[supabase]\nproject_ref = "../x"\n')


@pytest.mark.anyio
async def test_a_house_has_the_clients_that_there_are_keys_for(tmp_path: Path, drawer: Drawer):
    text = f'[render]\nowner = "tea-1"\nservices = ["api"]\n[supabase]\nproject_ref = "{REF}"\n'
    async with open_house(settings(tmp_path, text), Choice(), face="cli") as house:
        for vendor in ("render", "supabase"):
            with pytest.raises(ConfigurationError, match=f"sergei keys set {vendor}"):
                getattr(house.executor.resources, vendor)
    told = settings(tmp_path, text, RENDER_API_KEY="rnd_x", SUPABASE_ACCESS_TOKEN="sbp_x")
    async with open_house(told, Choice(), face="cli") as house:
        render, supabase = house.executor.resources.render, house.executor.resources.supabase
        assert (render.owner, render.services, supabase.project_ref) == ("tea-1", ("api",), REF)


def respond(request: httpx.Request) -> httpx.Response:
    """Two workspaces, one service; audit logs are forbidden; a project whose logs are used up."""
    owner = {"id": "tea-1", "name": "Guardian", "email": "a@b.test"}
    answers: dict[str, Any] = {
        "/v1/users": {"name": "Robin", "email": "robin@clinic.test"},
        "/v1/owners": [{"owner": owner, "cursor": "a"}, {"owner": {**owner, "id": "tea-2"}, "cursor": "b"}],
        "/v1/services": [{"service": {"id": "srv-1", "name": "api"}, "cursor": "a"}],
        "/v1/owners/tea-1/members": [{"email": "robin@clinic.test", "role": "ADMIN"}],
        "/v1/projects": [] if request.url.host.endswith("render.com") else [{"id": REF, "name": "guardian"}],
        f"/v1/projects/{REF}/database/backups": {"region": "eu"},
        f"/v1/projects/{REF}/config/auth": {"smtp_pass": "hunter22"},
        f"/v1/projects/{REF}/network-restrictions": {"status": "applied"},
        f"/v1/projects/{REF}/advisors/security": {"lints": []},
        f"/v1/projects/{REF}/billing/addons": {},
    }
    path = request.url.path
    assert request.method == "GET", "doctor changes nothing"
    if "audit-logs" in path:
        return httpx.Response(403, json={"message": "forbidden"})
    if "/analytics/" in path:
        return httpx.Response(402, json={"message": "Usage exceeded"})
    return httpx.Response(200, json=answers.get(path, []))


@pytest.mark.anyio
async def test_doctor_shows_what_each_key_may_do():
    transport = httpx.MockTransport(respond)
    lines = await vendor_lines(
        Resources(
            render_or_none=RenderClient(
                Secret("rnd_x"), owner="tea-1", services=("api", "gone"), transport=transport
            ),
            supabase_or_none=SupabaseClient(Secret("sbp_x"), project_ref=REF, transport=transport),
        )
    )
    text = "\n".join(" ".join(line) for line in lines)
    assert "reaches 2 workspaces: Guardian (tea-1)" in text
    assert "fail render the service gone of sergei.toml does not exist" in text
    assert "services 1" in text and "but audit logs forbidden" in text and "role ADMIN" in text
    assert f"reaches 1 projects: guardian ({REF})" in text and "but logs failed (402)" in text
    assert "hunter22" not in text and "robin" not in text


@pytest.mark.anyio
async def test_doctor_says_what_is_missing_and_what_a_vendor_says():
    lines = await vendor_lines(Resources())
    assert [line[:2] for line in lines] == [("warn", "render"), ("warn", "supabase")]
    refused = httpx.MockTransport(lambda _: httpx.Response(401, json={"message": "bad key"}))
    lines = await vendor_lines(Resources(render_or_none=RenderClient(Secret("rnd_x"), transport=refused)))
    assert lines[0][:2] == ("fail", "render") and "RENDER_API_KEY" in lines[0][2]
