"""The doctor at Supabase Auth, which a stand-in plays."""

from datetime import timedelta

import httpx
import jwt
import pytest
from starlette.testclient import TestClient

from app.config import Settings
from commands.kit.doctor.accounts import accounts
from commands.kit.doctor.finding import Finding
from tests.support.gotrue import PUBLISHABLE, SECRET, GoTrue

KEYS = {
    "supabase_publishable_key": PUBLISHABLE,
    "supabase_secret_key": SECRET,
}


@pytest.fixture
def gotrue() -> GoTrue:
    gotrue = GoTrue()
    gotrue.signing_keys.append({"kty": "EC", "alg": "ES256", "kid": "1"})
    return gotrue


def look(gotrue: GoTrue, **settings: str) -> dict[str, Finding]:
    values = {"supabase_auth_url": "https://p.supabase.co", **KEYS, **settings}
    server = TestClient(gotrue.app)

    def answer(request: httpx.Request) -> httpx.Response:
        answer = server.get(str(request.url), headers=dict(request.headers))
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    found = accounts(Settings.model_validate(values), httpx.MockTransport(answer))
    return {finding.name: finding for finding in found}


def test_all_that_is_right_is_said_without_a_key(gotrue: GoTrue) -> None:
    found = look(gotrue)

    assert {finding.state for finding in found.values()} == {"ok"}
    assert set(found) == {"Supabase", "Supabase clock", "Supabase secret", "Supabase tokens"}
    assert "ES256" in found["Supabase tokens"].text
    assert not [finding for finding in found.values() if "sb_" in finding.text]


def test_what_has_a_button_is_turned_on_there(gotrue: GoTrue) -> None:
    gotrue.oauth.providers = {"github"}

    found = look(gotrue, supabase_oauth="github google")

    assert (found["GitHub"].state, found["Google"].state) == ("ok", "wrong")
    assert "take Google out of SUPABASE_OAUTH" in found["Google"].text


@pytest.mark.parametrize(
    ("settings", "state", "words"),
    [
        ({}, "ok", "http://127.0.0.1:8000/oauth/github/callback"),
        ({"public_origin": "https://a.example"}, "ok", "https://a.example/oauth/github/callback"),
        ({"environment": "production"}, "wrong", "set PUBLIC_ORIGIN"),
    ],
)
def test_the_callback_url_to_register(settings: dict[str, str], state: str, words: str) -> None:
    values = {"github_client_id": "one", "github_client_secret": "two", **settings}

    found = {finding.name: finding for finding in accounts(Settings.model_validate(values))}

    assert found["GitHub"].state == state
    assert words in found["GitHub"].text


@pytest.mark.parametrize(
    ("settings", "name", "state", "words"),
    [
        ({"supabase_publishable_key": "sb_publishable_old"}, "Supabase", "wrong", "API Keys"),
        ({"supabase_publishable_key": SECRET}, "Supabase", "wrong", "holds a secret key"),
        ({"supabase_secret_key": ""}, "Supabase secret", "note", "is empty"),
        ({"supabase_secret_key": PUBLISHABLE}, "Supabase secret", "wrong", "status 403"),
    ],
)
def test_a_wrong_key_is_told_with_the_mend(
    gotrue: GoTrue, settings: dict[str, str], name: str, state: str, words: str
) -> None:
    found = look(gotrue, **settings)[name]

    assert (found.state, words in found.text) == (state, True)


def test_a_secret_key_of_the_older_kind_is_known_by_its_role(gotrue: GoTrue) -> None:
    key = jwt.encode({"role": "service_role"}, "k" * 32, algorithm="HS256")

    found = look(gotrue, supabase_publishable_key=key)["Supabase"]

    assert "holds a secret key" in found.text


def test_without_signing_keys_a_shared_secret_is_needed(gotrue: GoTrue) -> None:
    gotrue.signing_keys.clear()

    assert look(gotrue)["Supabase tokens"].state == "wrong"
    assert look(gotrue, supabase_jwt_secret="s" * 32)["Supabase tokens"].text.endswith("HS256")


def test_a_clock_that_is_off_is_told(gotrue: GoTrue) -> None:
    gotrue.clock = timedelta(minutes=2)

    found = look(gotrue)["Supabase clock"]

    assert (found.state, "NTP" in found.text) == ("wrong", True)


def test_half_of_the_settings_is_none() -> None:
    (found,) = accounts(Settings(supabase_url="https://p.supabase.co"))

    assert (found.state, "SUPABASE_PUBLISHABLE_KEY" in found.text) == ("wrong", True)


def test_a_server_that_is_away_gives_one_line() -> None:
    settings = Settings(supabase_auth_url="http://127.0.0.1:9", supabase_publishable_key="k")

    (found,) = accounts(settings)

    assert found.state == "wrong"
    assert found.text.startswith(f"127.0.0.1:9 does not answer ({httpx.ConnectError.__name__})")


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>for sale</html>"), (200, b"[1]"), (404, b"{}")]
)
def test_a_server_of_another_kind_takes_no_key(status: int, body: bytes) -> None:
    settings = Settings(supabase_auth_url="https://p.example", supabase_publishable_key="k")
    server = httpx.MockTransport(lambda _: httpx.Response(status, content=body))

    (found,) = accounts(settings, server)

    assert (found.state, "mend SUPABASE_URL" in found.text) == ("wrong", True)


@pytest.mark.parametrize("keys", [b"[]", b'{"keys": "none"}', b'{"keys": [1]}', b"{}"])
def test_signing_keys_that_make_no_sense_cannot_be_read(keys: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        there = request.url.path.endswith("jwks.json")
        return httpx.Response(200, content=keys if there else b'{"external": {}}')

    settings = Settings(supabase_auth_url="https://p.example", supabase_publishable_key="k")

    found = {one.name: one for one in accounts(settings, httpx.MockTransport(answer))}

    assert "cannot be read" in found["Supabase tokens"].text
