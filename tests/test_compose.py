"""docker-compose.yml: services that find each other, wait for each other, and stay at home."""

import re
from typing import Any, get_args
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from app.config import Settings
from app.models.one_time_token import LinkType
from commands.kit.environment import ROOT
from tests.test_image import RENDER_SECONDS, step

KEY = "a key that only the tests of compose know"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    )
    return loaded


@pytest.fixture(scope="module")
def apps(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose["services"].items() if "build" in one}


def test_each_profile_has_one_app(apps: dict[str, dict[str, Any]]) -> None:
    assert [app["profiles"] for app in apps.values()] == [["app"], ["full"], ["supabase"]]


def test_the_app_takes_its_settings(apps: dict[str, dict[str, Any]]) -> None:
    for app in apps.values():
        known = {name.upper() for name in Settings.model_fields}
        assert set(app["environment"]) <= known
        values = app["environment"] | {"SECRET_KEY": KEY, "ENVIRONMENT": "production"}
        settings = Settings.load(values, ROOT / "no.env")
        assert not settings.unquoted_names


@pytest.mark.parametrize("profile", ["full", "supabase"])
def test_what_a_service_calls_is_one_of_its_profile_that_it_waits_for(
    compose: dict[str, Any], profile: str
) -> None:
    services = {n: s for n, s in compose["services"].items() if profile in s["profiles"]}
    for name, service in services.items():
        values = service.get("environment", {})
        urls = " ".join(value for key, value in values.items() if key != "GOTRUE_JWT_ISSUER")
        called = set(re.findall(r"(?:@|http://)([a-z-]+):\d+/?", urls)) - {"localhost"}
        called |= {value for key, value in values.items() if key.endswith("SMTP_HOST")}
        awaited = service.get("depends_on", {})
        assert called == set(awaited), name
        for other, wanted in awaited.items():
            assert wanted == {"condition": "service_healthy"}, other
            assert "healthcheck" in services[other], other


class TestSupabaseAuth:
    """The app and Supabase Auth agree on keys, issuer and links."""

    @pytest.fixture
    def app(self, compose: dict[str, Any]) -> dict[str, str]:
        environment: dict[str, str] = compose["services"]["app-supabase"]["environment"]
        return environment

    @pytest.fixture
    def auth(self, compose: dict[str, Any]) -> dict[str, str]:
        environment: dict[str, str] = compose["services"]["auth"]["environment"]
        return environment

    def test_tokens(self, app: dict[str, str], auth: dict[str, str]) -> None:
        assert auth["GOTRUE_JWT_SECRET"] == app["SUPABASE_JWT_SECRET"]
        assert auth["GOTRUE_JWT_ISSUER"] == app["SUPABASE_AUTH_URL"]
        assert auth["GOTRUE_JWT_AUD"] == "authenticated"
        assert auth["GOTRUE_SITE_URL"] == app["PUBLIC_ORIGIN"]

    def test_no_other_profile_asks_for_its_keys(self, app: dict[str, str]) -> None:
        """Compose fills in all services, also those that it does not start."""
        for name in ("SUPABASE_JWT_SECRET", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY"):
            assert app[name] == f"${{{name}:-}}"

    def test_its_letters_lead_to_the_app(
        self, compose: dict[str, Any], auth: dict[str, str]
    ) -> None:
        served = {
            f"http://letters:8080/{place['target'].removeprefix('/letters/')}": place["source"]
            for place in compose["services"]["letters"]["configs"]
        }
        types = {
            "CONFIRMATION": "email",
            "MAGIC_LINK": "magiclink",
            "RECOVERY": "recovery",
            "EMAIL_CHANGE": "email_change",
        }
        assert set(types.values()) == set(get_args(LinkType))
        for name, type_ in types.items():
            letter = compose["configs"][served[auth[f"GOTRUE_MAILER_TEMPLATES_{name}"]]]["content"]
            link = "{{ .SiteURL }}/auth/confirm?token_hash={{ .TokenHash }}&type=" + type_
            assert f'<a href="{link}">' in letter

    @pytest.mark.postgres
    def test_its_schema_is_made_once_before_it_starts(
        self, compose: dict[str, Any], auth: dict[str, str], empty_postgres_database: str
    ) -> None:
        """Roles belong to the whole server, so all of it is taken back in the end."""
        database = urlsplit(empty_postgres_database).path[1:]
        sql = compose["configs"]["auth-schema"]["content"]
        login = urlsplit(auth["GOTRUE_DB_DATABASE_URL"])
        with psycopg.connect(empty_postgres_database) as connection:
            there = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            lines = [
                line.replace("DATABASE app", f'DATABASE "{database}"')
                for line in sql.splitlines()
                # A server of its own has none yet.
                if not ("postgres" in there and line == "CREATE ROLE postgres NOLOGIN;")
            ]
            connection.execute("\n".join(lines).encode())
            assert f"PASSWORD '{login.password}'" in sql
            connection.execute(f"SET LOCAL ROLE {login.username}")
            connection.execute("CREATE TABLE auth.users (id uuid)")
            connection.execute("GRANT SELECT ON auth.users TO postgres")
            connection.rollback()


def test_only_this_machine_gets_in(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_app_has_no_rights_that_it_does_not_need(apps: dict[str, dict[str, Any]]) -> None:
    for app in apps.values():
        assert app["read_only"]
        assert app["cap_drop"] == ["ALL"]
        assert app["ports"] == [f"127.0.0.1:8000:{step('EXPOSE')}"]
        assert [volume.partition(":")[2] for volume in app["volumes"]] == [step("VOLUME")]
        assert app["stop_grace_period"] == f"{RENDER_SECONDS}s"


def test_volumes_are_declared_and_images_have_a_version(compose: dict[str, Any]) -> None:
    services = compose["services"].values()
    used_configs = {place["source"] for one in services for place in one.get("configs", [])}
    assert used_configs == set(compose["configs"])
    used = {volume.partition(":")[0] for one in services for volume in one.get("volumes", [])}
    assert used == set(compose["volumes"])
    for service in services:
        assert "build" in service or re.search(r":v?\d+[\w.-]*$", service["image"])
