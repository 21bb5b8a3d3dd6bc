"""Which of Supabase's tokens are taken, and how often its keys are asked for."""

import asyncio
import hmac
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode
from pydantic import SecretStr

from app.config import Settings
from app.services.errors import ProviderUnavailable
from app.services.supabase_tokens import SupabaseTokens
from tests.support.databases import Clock, clock

__all__ = ["clock"]

pytestmark = pytest.mark.anyio

ISSUER = "https://ref.supabase.co/auth/v1"
SECRET = "the old shared secret of the project"
EC, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)


class Project:
    """Publishes its keys and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0
        self.silent = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{ISSUER}/.well-known/jwks.json"
        self.asked += 1
        if self.silent:
            raise httpx.ConnectTimeout("silent", request=request)
        keys = [
            json.loads(ECAlgorithm.to_jwk(EC.public_key())) | {"kid": "ec", "alg": "ES256"},
            json.loads(RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "rsa", "alg": "RS256"},
        ]
        return httpx.Response(200, json={"keys": keys})


@pytest.fixture
def project() -> Project:
    return Project()


Handler = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)


def tokens_of(project: Handler, clock: Clock, secret: str = "") -> SupabaseTokens:
    settings = Settings(
        supabase_auth_url=ISSUER,
        supabase_jwt_secret=SecretStr(secret),
    )
    return SupabaseTokens(settings, transport=httpx.MockTransport(project), clock=clock)


def token(key: Any = EC, algorithm: str = "ES256", kid: str = "ec") -> str:
    """A good token of this key."""
    return token_of({}, key, algorithm, kid)


def token_of(
    claims: dict[str, object], key: Any = EC, algorithm: str = "ES256", kid: str = "ec"
) -> str:
    """One that says something else in these claims, or nothing where they are None."""
    good: dict[str, object] = {
        "sub": "11111111-1111-4111-8111-111111111111",
        "aud": "authenticated",
        "iss": ISSUER,
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }
    content = {name: value for name, value in (good | claims).items() if value is not None}
    return jwt.encode(content, key, algorithm, headers={"kid": kid})


def signed_with_what_everybody_knows() -> str:
    """HS256 by the public key; made by hand, since libraries refuse to."""
    head, _, content = token(EC, "ES256").rpartition(".")[0].partition(".")
    pem = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = base64url_encode(json.dumps({"alg": "HS256", "kid": "ec"}).encode()).decode()
    digest = hmac.digest(pem, f"{head}.{content}".encode(), "sha256")
    return f"{head}.{content}.{base64url_encode(digest).decode()}"


async def test_both_kinds_of_keys_are_taken_and_asked_for_once(
    project: Project, clock: Clock
) -> None:
    tokens = tokens_of(project, clock)
    all_of = [token(), token(RSA, "RS256", "rsa")] * 5
    found = await asyncio.gather(*(tokens.claims(one) for one in all_of))
    assert all(claims and claims["aud"] == "authenticated" for claims in found)
    assert await tokens.claims(token(kid="unknown")) is None
    assert project.asked == 1
    clock.advance(minutes=10)
    await tokens.claims(token())
    assert project.asked == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "anon"},
        {"aud": None},
        {"iss": "https://other.supabase.co/auth/v1"},
        {"iss": None},
        {"sub": None},
        {"exp": None},
        {"exp": datetime.now(UTC) - timedelta(seconds=30)},
    ],
)
async def test_what_is_not_for_us_is_refused(
    project: Project, clock: Clock, wrong: dict[str, object]
) -> None:
    assert await tokens_of(project, clock).claims(token_of(wrong)) is None


async def test_forged_tokens_are_refused(project: Project, clock: Clock) -> None:
    tokens = tokens_of(project, clock, SECRET)
    stranger = ec.generate_private_key(ec.SECP256R1())
    good = token()
    forged = [
        token(stranger),
        token(kid="rsa"),
        good[:-4] + "AAAA",
        "",
        "a.b.c",
        "é.é.é",
        jwt.encode({"sub": "x", "aud": "authenticated"}, "", "none"),
        signed_with_what_everybody_knows(),
    ]
    for one in forged:
        assert await tokens.claims(one) is None


async def test_the_shared_secret_counts_only_where_it_is_set(
    project: Project, clock: Clock
) -> None:
    old = token(SECRET, "HS256")
    assert await tokens_of(project, clock).claims(old) is None
    assert await tokens_of(project, clock, SECRET).claims(old) is not None
    assert project.asked == 0


async def test_known_keys_hold_while_the_project_is_silent(project: Project, clock: Clock) -> None:
    tokens = tokens_of(project, clock)
    assert await tokens.claims(token()) is not None
    project.silent = True
    clock.advance(hours=1)
    assert await tokens.claims(token()) is not None
    clock.advance(seconds=5)
    project.silent = False
    assert await tokens.claims(token(RSA, "RS256", "rsa")) is not None
    assert project.asked == 3, "it is asked again soon"
    project.silent = True
    with pytest.raises(ProviderUnavailable):
        await tokens_of(project, clock).claims(token())


async def test_of_many_that_wait_for_a_silent_project_each_waits_once(
    project: Project, clock: Clock
) -> None:
    project.silent = True
    tokens = tokens_of(project, clock)
    said = await asyncio.gather(
        *(tokens.claims(token()) for _ in range(20)), return_exceptions=True
    )
    assert {type(each) for each in said} == {ProviderUnavailable}
    assert project.asked == 1


@pytest.mark.parametrize("content", ["[]", "{}", '{"keys": [1]}', '{"keys": 1}', "null", "<html>"])
async def test_keys_that_are_none(clock: Clock, content: str) -> None:
    tokens = tokens_of(lambda _request: httpx.Response(200, text=content), clock)
    with pytest.raises(ProviderUnavailable):
        await tokens.claims(token())


async def test_nobody_with_a_known_key_waits_for_one_who_asks_again(clock: Clock) -> None:
    project, asked, answers = Project(), asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        if project.asked:
            asked.set()
            await answers.wait()
        return project(request)

    tokens = tokens_of(slow, clock)
    assert await tokens.claims(token()) is not None
    clock.advance(minutes=10)
    first = asyncio.create_task(tokens.claims(token()))
    await asked.wait()
    assert await tokens.claims(token()) is not None
    assert not first.done()
    answers.set()
    assert await first is not None
