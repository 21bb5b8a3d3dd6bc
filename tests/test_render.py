"""render.yaml: what Render's blueprints may say, and what this app needs of one."""

import re
from typing import Any

import pytest
import yaml

from app.config import Settings
from commands.kit.environment import ROOT
from tests.test_image import step

# From Render's blueprint reference: the fields of a web service that is built by Docker.
FIELDS = {
    *("type", "name", "runtime", "plan", "region", "branch", "repo", "rootDir", "domains"),
    *("dockerfilePath", "dockerContext", "dockerCommand", "registryCredential", "buildFilter"),
    *("autoDeployTrigger", "healthCheckPath", "envVars", "numInstances", "scaling", "disk"),
    *("maxShutdownDelaySeconds", "preDeployCommand", "previews", "initialDeployHook"),
}
PAID_ONLY = {"disk", "scaling", "preDeployCommand", "maxShutdownDelaySeconds"}
REGIONS = {"oregon", "ohio", "virginia", "frankfurt", "singapore"}
SECRETS = {"TURSO_TOKEN", "SMTP_PASSWORD", "DATABASE_URL"}


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))
    assert set(blueprint) == {"services"}
    (service,) = blueprint["services"]
    assert isinstance(service, dict)
    return service


@pytest.fixture(scope="module")
def variables(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["key"]: variable for variable in service["envVars"]}


def test_its_fields_are_those_of_a_web_service(service: dict[str, Any]) -> None:
    assert set(service) <= FIELDS
    assert (service["type"], service["runtime"]) == ("web", "docker")
    assert service["region"] in REGIONS
    assert service["autoDeployTrigger"] == "checksPass"
    assert re.fullmatch(r"[a-z][a-z0-9-]*", service["name"])


def test_on_the_free_plan_nothing_asks_for_a_paid_one(service: dict[str, Any]) -> None:
    assert service["plan"] == "free"
    assert not set(service) & PAID_ONLY


def test_each_variable_has_one_source(variables: dict[str, dict[str, Any]]) -> None:
    for variable in variables.values():
        (source,) = set(variable) - {"key"}
        assert source in {"value", "sync", "generateValue"}
        assert source != "value" or isinstance(variable["value"], str)
        assert source != "sync" or variable["sync"] is False


def test_it_sets_what_the_app_knows_and_no_secret_is_written_down(
    variables: dict[str, dict[str, Any]],
) -> None:
    assert set(variables) <= {name.upper() for name in Settings.model_fields}
    assert all(variables[name] == {"key": name, "sync": False} for name in SECRETS)
    assert variables["SECRET_KEY"] == {"key": "SECRET_KEY", "generateValue": True}
    assert variables["ENVIRONMENT"]["value"] == "production"


def test_the_health_check_depends_on_nothing_else(service: dict[str, Any]) -> None:
    assert service["healthCheckPath"] == "/healthz"


def test_the_port_is_the_one_that_render_expects(variables: dict[str, dict[str, Any]]) -> None:
    assert "PORT" not in variables
    assert "DEFAULT_PORT=10000" in step("ENV")
