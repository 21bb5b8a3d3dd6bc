from collections import namedtuple
from pathlib import Path

import pytest

from app.config import Settings
from commands.kit.doctor import machine

Usage = namedtuple("Usage", "free")
GB = 2**30


@pytest.mark.parametrize(("free", "state"), [(4 * GB, "ok"), (2 * GB, "note"), (GB // 10, "wrong")])
def test_the_disk_must_hold_what_the_log_may_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(free))

    (found,) = machine.disk(Settings(log_dir=tmp_path / "not" / "there"))

    assert found.state == state
    assert "3.0 GB" in found.text


def test_what_the_log_has_by_now_needs_no_more_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(GB))
    (tmp_path / "api_logs.csv").write_bytes(b"x" * 60_000)

    settings = Settings(log_dir=tmp_path, log_max_bytes=60_000, turso_url="libsql://x.turso.io")

    assert [finding.state for finding in machine.disk(settings)] == ["ok"]


def test_a_full_disk_that_only_data_is_on_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(0 if path == data else 9 * GB))
    monkeypatch.setattr(machine, "_disk", lambda path: path == data)

    settings = Settings(
        log_dir=tmp_path,
        files_dir=tmp_path,
        picture_dir=tmp_path,
        database_url=f"sqlite:///{data}/app.db",
    )

    full = list(machine.disk(settings))[1]

    assert (full.state, str(data) in full.text) == ("wrong", True)
