"""What the checks say about databases that do not answer."""

import psycopg
import pytest

from app.config import Settings
from commands.kit import checks
from commands.kit.listener import listen
from commands.kit.words import Failure


def test_the_direct_host_of_supabase_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_url: str, **_options: object) -> None:
        raise psycopg.OperationalError("could not translate host name: Network is unreachable")

    monkeypatch.setattr(psycopg, "connect", connect)
    url = "postgresql://postgres:p@db.abcdefgh.supabase.co:5432/postgres"
    with pytest.raises(Failure, match="session pooler"):
        checks.check_database(Settings(database_url=url))
    with pytest.raises(Failure, match="does not answer; start it"):
        checks.check_database(Settings(database_url="postgresql://u:p@db.example.com/n"))


def test_a_name_of_a_file_that_no_disk_takes_is_told() -> None:
    with pytest.raises(Failure, match="too long"):
        checks.check_database(Settings(database_url=f"sqlite:///{'a' * 300}.db"))


def test_a_name_that_no_host_can_have_is_told() -> None:
    with pytest.raises(Failure, match="is not an address of this machine"):
        listen("a..b", 8000)
