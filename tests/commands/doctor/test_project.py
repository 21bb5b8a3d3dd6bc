import subprocess
from pathlib import Path

import pytest

from app.config import Settings
from commands.kit.doctor import project


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, in Git."""
    monkeypatch.setattr(project, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / ".env").touch(mode=0o600)
    return tmp_path


def test_an_env_file_for_its_owner_alone_is_fine(root: Path) -> None:
    assert [finding.state for finding in project.env_file(Settings())] == ["ok"]


def test_one_that_others_can_read_is_told_with_the_mend(root: Path) -> None:
    (root / ".env").chmod(0o644)

    (found,) = project.env_file(Settings())

    assert (found.state, "chmod 600 .env" in found.text) == ("note", True)


def test_one_in_git_is_wrong(root: Path) -> None:
    subprocess.run(["git", "add", ".env"], cwd=root, check=True)

    (found,) = project.env_file(Settings())

    assert (found.state, "git rm --cached .env" in found.text) == ("wrong", True)


def test_quotes_and_misspelt_names_and_a_missing_origin_are_told(root: Path) -> None:
    settings = Settings.load(
        {"LOG_DIR": "'x'", "ENVIRONMENT": "production", "SECRET_KEY": "k" * 40, "LOGDIR": "y"}
    )

    _, quotes, name, origin = project.env_file(settings)

    assert "LOG_DIR" in quotes.text
    assert "LOGDIR → LOG_DIR" in name.text
    assert "PUBLIC_ORIGIN" in origin.text
