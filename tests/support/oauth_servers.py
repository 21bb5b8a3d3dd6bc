"""GitHub and Google, as far as signing in goes: they refuse what the real ones refuse."""

import base64
import hashlib
import html
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from fastapi import FastAPI
from httpx import URL, ASGITransport, AsyncClient, Response
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import Response as Answer
from starlette.routing import Route

from app.config_values import PROVIDERS

CLIENT_ID = "the-id-of-this-app"
CLIENT_SECRET = "what-only-this-app-and-they-know"
_KEY: list[RSAPrivateKey] = []


@dataclass
class Person:
    """Who is signed in there, and is asked for consent."""

    subject: str = "4711"
    email: str = "hana@example.com"
    verified: bool = True
    name: str = "Hana Sato"


@dataclass
class _Code:
    provider: str
    query: Mapping[str, str]
    person: Person
    used: bool = False


@dataclass
class Servers:
    """`app` is both of them, told apart by path. Codes are for one of the `redirect_uris`.

    `claims` are put over those of Google's tokens, to make bad ones.
    """

    redirect_uris: frozenset[str]
    person: Person = field(default_factory=Person)
    claims: dict[str, object] = field(default_factory=dict)
    signing_key: RSAPrivateKey | None = None
    seen: list[str] = field(default_factory=list)
    """All that may not be in a log: codes, verifiers, tokens."""

    def __post_init__(self) -> None:
        self._codes: dict[str, _Code] = {}
        self._tokens: dict[str, Person] = {}
        self.app = Starlette(
            routes=[
                Route("/login/oauth/authorize", self._authorize),
                Route("/o/oauth2/v2/auth", self._authorize),
                Route("/consent", self._consent, methods=["POST"]),
                Route("/login/oauth/access_token", self._github_token, methods=["POST"]),
                Route("/token", self._google_token, methods=["POST"]),
                Route("/oauth2/v3/certs", self._keys),
                Route("/user", self._user),
                Route("/user/emails", self._emails),
                Route("/api/v3/user", self._user),
                Route("/api/v3/user/emails", self._emails),
            ]
        )

    async def answer(self, url: str, consent: str = "allow") -> str:
        """Where the browser goes after the page of consent at `url`."""
        async with self.browser() as browser:
            page = await browser.get(url)
            assert page.status_code == 200, page.text
            found = page.text.partition('name="query" value="')[2].partition('"')[0]
            fields = {"query": html.unescape(found), "do": consent}
            done: Response = await browser.post(str(URL(url).join("/consent")), data=fields)
            return done.headers["location"]

    def browser(self) -> AsyncClient:
        return AsyncClient(transport=ASGITransport(self.app))

    async def _authorize(self, request: Request) -> Answer:
        query = dict(request.query_params)
        google = request.url.path.startswith("/o/")
        wanted = {
            "client_id": query.get("client_id") == CLIENT_ID,
            "redirect_uri": query.get("redirect_uri") in self.redirect_uris,
            "state": len(query.get("state", "")) >= 32,
            "code_challenge": len(query.get("code_challenge", "")) == 43,
            "code_challenge_method": query.get("code_challenge_method") == "S256",
            "scope": query.get("scope") == ("openid email profile" if google else "user:email"),
            "response_type": not google or query.get("response_type") == "code",
            "nonce": not google or len(query.get("nonce", "")) >= 32,
        }
        if wrong := [name for name, good in wanted.items() if not good]:
            return PlainTextResponse(f"wrong: {', '.join(wrong)}", 400)
        query["provider"] = "google" if google else "github"
        return HTMLResponse(
            "<!doctype html><title>Consent</title><h1>Who are you?</h1>"
            '<form method="post" action="/consent">'
            f'<input type="hidden" name="query" value="{html.escape(urlencode(query))}">'
            '<button name="do" value="allow">Allow</button>'
            '<button name="do" value="deny">Deny</button></form>'
        )

    async def _consent(self, request: Request) -> Answer:
        form = await request.form()
        query = dict(URL(f"?{form['query']}").params)
        back, state = query["redirect_uri"], query["state"]
        if form["do"] != "allow":
            denied = {"error": "access_denied", "error_description": "No.", "state": state}
            return RedirectResponse(f"{back}?{urlencode(denied)}", 302)
        code = secrets.token_hex(10)
        self._codes[code] = _Code(query["provider"], query, self.person)
        self.seen += [code, state]
        return RedirectResponse(f"{back}?{urlencode({'code': code, 'state': state})}", 302)

    async def _github_token(self, request: Request) -> Answer:
        problem, code = await self._redeem(request, "github")
        if "json" not in request.headers.get("accept", ""):
            return PlainTextResponse(urlencode({"error": problem}))
        names = {"client": "incorrect_client_credentials", "code": "bad_verification_code"}
        if code is None:
            return JSONResponse({"error": names[problem]})  # with status 200
        token = self._token(code.person)
        return JSONResponse({"access_token": token, "token_type": "bearer", "scope": "user:email"})

    async def _google_token(self, request: Request) -> Answer:
        problem, code = await self._redeem(request, "google")
        if code is None:
            name, status = (
                ("invalid_client", 401) if problem == "client" else ("invalid_grant", 400)
            )
            return JSONResponse({"error": name}, status)
        if (await request.form()).get("grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        return JSONResponse(
            {
                "access_token": self._token(code.person),
                "id_token": self._id_token(code),
                "token_type": "Bearer",
                "expires_in": 3599,
            }
        )

    async def _redeem(self, request: Request, provider: str) -> tuple[str, _Code | None]:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.seen += [form.get("code_verifier", "")]
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return "client", None
        code = self._codes.get(form.get("code", ""))
        if code is None or code.used or code.provider != provider:
            return "code", None
        code.used = True
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (challenge, form.get("redirect_uri")) != (
            code.query["code_challenge"],
            code.query["redirect_uri"],
        ):
            return "code", None
        return "", code

    def _token(self, person: Person) -> str:
        token = f"gho_{secrets.token_hex(18)}"
        self._tokens[token] = person
        self.seen.append(token)
        return token

    def _id_token(self, code: _Code) -> str:
        now, person = datetime.now(UTC), code.person
        claims: dict[str, Any] = {
            "iss": "https://accounts.google.com",
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "sub": person.subject,
            "email": person.email,
            "email_verified": person.verified,
            "name": person.name,
            "nonce": code.query["nonce"],
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        token = jwt.encode(
            claims | self.claims, self.signing_key or _key(), "RS256", headers={"kid": "one"}
        )
        self.seen.append(token)
        return token

    async def _keys(self, _request: Request) -> Answer:
        public = json.loads(RSAAlgorithm.to_jwk(_key().public_key()))
        return JSONResponse({"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]})

    async def _user(self, request: Request) -> Answer:
        person = self._bearer(request)
        if person is None:
            return JSONResponse({"message": "Bad credentials"}, 401)
        # The address here is the public one, which nobody needs to have verified.
        shown = {"id": int(person.subject), "login": "hana", "name": person.name, "email": None}
        return JSONResponse(shown)

    async def _emails(self, request: Request) -> Answer:
        person = self._bearer(request)
        if person is None:
            return JSONResponse({"message": "Bad credentials"}, 401)
        other = {"email": "other@example.com", "primary": False, "verified": True}
        first = {"email": person.email, "primary": True, "verified": person.verified}
        return JSONResponse([other, first])

    def _bearer(self, request: Request) -> Person | None:
        if not request.headers.get("user-agent"):
            return None
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._tokens.get(token)


def _key() -> RSAPrivateKey:
    """Google's, made once: that takes a while."""
    if not _KEY:
        _KEY.append(generate_private_key(65537, 2048))
    return _KEY[0]


def live() -> Starlette:
    """For a process of its own; `APP_ORIGIN` is where the app is."""
    origin = os.environ["APP_ORIGIN"]
    return Servers(frozenset(f"{origin}/oauth/{name}/callback" for name in PROVIDERS)).app


def app_with_google() -> FastAPI:
    """The app for a process of its own; `GOOGLE` is where it takes Google to be."""
    from app.main import create_app
    from app.services.oauth import google

    for name in ("_AUTHORIZE", "_TOKEN", "_KEYS"):
        path = urlsplit(getattr(google, name)).path
        setattr(google, name, f"{os.environ['GOOGLE']}{path}")
    return create_app()
