"""docker-compose.yml: services that find each other, wait for each other, and stay at home."""

import re
from typing import Any

import pytest
import yaml

from app.config import Settings
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
    assert [app["profiles"] for app in apps.values()] == [["app"], ["full"]]


def test_the_app_takes_its_settings(apps: dict[str, dict[str, Any]]) -> None:
    for app in apps.values():
        known = {name.upper() for name in Settings.model_fields}
        assert set(app["environment"]) <= known
        values = app["environment"] | {"SECRET_KEY": KEY, "ENVIRONMENT": "production"}
        settings = Settings.load(values, ROOT / "no.env")
        assert not settings.unquoted_names


def test_what_the_app_calls_is_a_service_that_it_waits_for(compose: dict[str, Any]) -> None:
    app = compose["services"]["app-full"]
    urls = " ".join(app["environment"].values())
    called = set(re.findall(r"(?:@|http://)([a-z]+):\d+/?", urls)) - {"localhost"}
    called.add(app["environment"]["SMTP_HOST"])
    assert called == set(app["depends_on"])
    for name, wanted in app["depends_on"].items():
        service = compose["services"][name]
        assert service["profiles"] == ["full"]
        assert (wanted["condition"] == "service_healthy") == ("healthcheck" in service), name


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
    used = {volume.partition(":")[0] for one in services for volume in one.get("volumes", [])}
    assert used == set(compose["volumes"])
    for service in services:
        assert "build" in service or re.search(r":v?\d+[\w.-]*$", service["image"])
