"""The five lines of a start, where nothing is embedded."""

import pytest

from app.config import Settings
from commands.kit.in_use import in_use

ELSEWHERE = {
    "DATABASE_URL": "postgresql://u:hush-p@db.example.com:5432/shop",
    "TURSO_URL": "libsql://hush-u:hush-p@log.turso.io",
    "TURSO_TOKEN": "hush-t",
    "SUPABASE_URL": "https://p.supabase.co",
    "SUPABASE_PUBLISHABLE_KEY": "hush-k",
    "SMTP_HOST": "mail.example.com",
    "SMTP_PASSWORD": "hush-m",
}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_each_part_is_named_by_its_place_and_no_secret_is_told(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LC_ALL", language)

    lines = list(in_use(Settings.load(ELSEWHERE)))

    places = ("db.example.com", "p.supabase.co", "log.turso.io", "DBOS", "mail.example.com:587")
    assert all(place in line for place, line in zip(places, lines, strict=True))
    assert "hush" not in "".join(lines)


def test_a_socket_counts_as_the_place_of_postgresql() -> None:
    settings = Settings(database_url="postgresql://postgres:@/shop?host=/run/pg")

    assert "shop at /run/pg" in next(in_use(settings))


def test_in_production_without_a_server_no_mail_is_sent() -> None:
    assert "SMTP_HOST" in list(in_use(Settings(environment="production")))[-1]
