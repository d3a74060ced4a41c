"""Settings: what beats what, and one clear sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.approvals import Mode
from agent.settings import load
from tools.errors import ConfigurationError


def test_the_environment_beats_the_file_and_the_file_the_default(tmp_path: Path):
    (tmp_path / "sergei.toml").write_text(
        '[target]\ndatabase_url = "postgresql://reader@db/app"\n'
        '[agent]\nmodel = "from-file"\nmode = "investigate"\n'
    )
    plain = load(tmp_path, {})
    assert (plain.database_url, plain.model, plain.mode) == (
        "postgresql://reader@db/app",
        "from-file",
        Mode.INVESTIGATE,
    )
    over = load(tmp_path, {"SERGEI_DATABASE_URL": "postgresql://other/db", "SERGEI_MODEL": "from-env"})
    assert (over.database_url, over.model) == ("postgresql://other/db", "from-env")


def test_the_file_is_found_in_a_parent_folder(tmp_path: Path):
    (tmp_path / "sergei.toml").write_text("")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert load(tmp_path / "a" / "b", {}).workspace == tmp_path.resolve()


def test_a_url_can_come_from_a_variable(tmp_path: Path):
    (tmp_path / "sergei.toml").write_text('[target]\ndatabase_url = "env:DB"\n')
    assert load(tmp_path, {"DB": "postgresql://x/y"}).database_url == "postgresql://x/y"
    missing = load(tmp_path, {})
    assert (missing.database_url, missing.missing_variable) == ("", "DB")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[target\n", "not valid TOML"),
        ("[target]\nurl = 1\n", "no setting called `target.url`"),
        ('[target]\nenvironment = "prod"\n', "`target.environment`"),
        ('[target]\ndatabase_url = "postgresql://u:secret@h/d"\n', "holds a password"),
        ('[[suppress]]\nrule = "x"\n', "`suppress.0.reason`"),
        ('[target]\nphi = "off"\nenvironment = "production"\n', "phi"),
    ],
)
def test_a_malformed_file_is_one_sentence_without_secrets(tmp_path: Path, text: str, says: str):
    (tmp_path / "sergei.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, {})
    sentence = str(caught.value)
    assert says in sentence and "sergei.toml" in sentence and "secret" not in sentence
    assert "\n" not in sentence


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path):
    (tmp_path / "sergei.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load(tmp_path, {})


def test_keys_and_urls_are_not_in_the_repr(tmp_path: Path):
    said = repr(
        load(tmp_path, {"ANTHROPIC_API_KEY": "sk-secret", "SERGEI_DATABASE_URL": "postgresql://u:pw@h/d"})
    )
    assert "sk-secret" not in said and "pw@" not in said


def test_a_command_inherits_only_harmless_variables(tmp_path: Path):
    settings = load(tmp_path, {"PATH": "/bin", "ANTHROPIC_API_KEY": "k", "SUPABASE_ACCESS_TOKEN": "t"})
    assert dict(settings.subprocess_environment) == {"PATH": "/bin"}


def test_an_unknown_environment_in_a_variable_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="SERGEI_ENVIRONMENT is 'prod'"):
        load(tmp_path, {"SERGEI_ENVIRONMENT": "prod"})
