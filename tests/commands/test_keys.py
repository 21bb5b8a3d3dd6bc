"""`manage.py keys`: keys that belong together, and none that is overwritten."""

import stat
from pathlib import Path

import jwt
import pytest

from app.lib.env_file import read_env_file
from commands import keys
from commands.kit import settings
from commands.kit.words import Failure

NAMES = ("SUPABASE_JWT_SECRET", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY")


@pytest.fixture(autouse=True)
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=of the app\n#SUPABASE_SECRET_KEY=sb_secret_\n", encoding="utf-8")
    monkeypatch.setattr(settings, "ENV_FILE", path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return path


def test_the_keys_are_tokens_of_the_secret(env_file: Path) -> None:
    assert keys.main([]) == 0

    values = read_env_file(env_file)
    assert values["SECRET_KEY"] == "of the app"
    secret, *tokens = (values[name] for name in NAMES)
    assert len(secret) >= 43
    roles = [jwt.decode(token, secret, ["HS256"], issuer="supabase")["role"] for token in tokens]
    assert roles == ["anon", "service_role"]


def test_a_link_stays_one_and_its_file_as_open_as_it_was(env_file: Path) -> None:
    shared = env_file.rename(env_file.with_name("shared.env"))
    shared.chmod(0o640)
    env_file.symlink_to(shared.name)

    assert keys.main([]) == 0

    assert env_file.is_symlink()
    assert set(NAMES) <= set(read_env_file(shared))
    assert stat.S_IMODE(shared.stat().st_mode) == 0o640
    assert sorted(path.name for path in env_file.parent.iterdir()) == [".env", "shared.env"]


def test_keys_that_are_there_stay(env_file: Path) -> None:
    before = env_file.read_text("utf-8") + "SUPABASE_SECRET_KEY='of a project'\n"
    env_file.write_text(before, encoding="utf-8")

    with pytest.raises(Failure, match=r"\.env has SUPABASE_SECRET_KEY already"):
        keys.main([])

    assert env_file.read_text("utf-8") == before


def test_a_line_that_is_empty_is_filled_in(env_file: Path) -> None:
    env_file.write_text("SECRET_KEY=x\nSUPABASE_JWT_SECRET=\nLOG_DIR=logs\n", encoding="utf-8")

    keys.main([])

    lines = env_file.read_text("utf-8").splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "SECRET_KEY",
        NAMES[0],
        "LOG_DIR",
        *NAMES[1:],
    ]
