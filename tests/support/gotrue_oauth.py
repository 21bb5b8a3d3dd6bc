"""The part of the stand-in for Supabase Auth that signs in with other services."""

import base64
import hashlib
import html
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from httpx import URL, ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.oauth_servers import Person


@dataclass
class Account:
    """Somebody whom the server knows."""

    email: str
    password: str
    name: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    confirmed: bool = False
    new_email: str = ""
    identities: list[dict[str, Any]] = field(default_factory=list)


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass
class _Flow:
    provider: str
    redirect_to: str
    challenge: str
    target: Account | None
    """Who links one more service; nobody where somebody signs in."""
    account: Account | None = None
    expired: bool = False


class Server(Protocol):
    """What this part needs of the whole."""

    accounts: dict[str, Account]

    def bearer(self, request: Request) -> Account: ...


class GoTrueOAuth:
    """Sends to a page of consent that stands for the services, where `person` is signed in.

    It sends back only to addresses at `site_url`, and lets users link services by themselves while
    `manual_linking` is on.
    """

    def __init__(self, server: Server) -> None:
        self.person = Person()
        self.providers = {"github", "google"}
        self.site_url = "http://app.test"
        self.manual_linking = True
        self.seen: list[str] = []
        self.flows: dict[str, _Flow] = {}
        self._server = server
        self.guarded = {
            ("GET", "/user/identities/authorize"): self._authorize_link,
            ("DELETE", "/user/identities/{id}"): self._unlink,
        }
        self.open = [
            Route("/authorize", self._authorize),
            Route("/consent", self._page),
            Route("/callback", self._callback, methods=["POST"]),
        ]

    async def answer(self, app: Any, url: str, consent: str = "allow") -> str:
        """Where a browser goes after the page of consent that `url` leads to."""
        async with AsyncClient(transport=ASGITransport(app), follow_redirects=True) as browser:
            page = await browser.get(url)
            assert page.status_code == 200, page.text
            fields = {"flow": page.url.params["flow"], "do": consent}
            back = str(page.url.join("callback"))
            done = await browser.post(back, data=fields, follow_redirects=False)
            return done.headers["location"]

    def redeem(self, body: dict[str, str]) -> Account:
        """Whose flow this is; it is over with that."""
        code, verifier = body.get("auth_code", ""), body.get("code_verifier", "")
        self.seen += [code, verifier]
        if not code or not verifier:
            raise Refused(400, "validation_failed")
        flow = self.flows.get(code)
        if flow is None or flow.account is None:
            raise Refused(404, "flow_state_not_found")
        if flow.expired:
            raise Refused(422, "flow_state_expired")
        digest = hashlib.sha256(verifier.encode()).digest()
        if flow.challenge != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            raise Refused(400, "bad_code_verifier")
        del self.flows[code]
        return flow.account

    async def _authorize(self, request: Request) -> Response:
        try:
            return RedirectResponse(self._begin(request, None), 302)
        except Refused as refused:
            return JSONResponse({"code": refused.code}, refused.status)

    async def _authorize_link(self, request: Request) -> Response:
        account = self._server.bearer(request)
        self._check_linking()
        url = self._begin(request, account)
        if request.query_params.get("skip_http_redirect") != "true":
            return RedirectResponse(url, 302)
        return JSONResponse({"url": url})

    def _begin(self, request: Request, target: Account | None) -> str:
        query = request.query_params
        if query.get("provider") not in self.providers:
            raise Refused(400, "validation_failed")
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method", "").lower() != "s256" or len(challenge) != 43:
            raise Refused(400, "validation_failed")
        back = query.get("redirect_to", "")
        if urlsplit(back).netloc != urlsplit(self.site_url).netloc:
            back = self.site_url
        code = str(uuid.uuid4())
        self.flows[code] = _Flow(query["provider"], back, challenge, target)
        return f"{request.base_url}consent?flow={code}"

    async def _page(self, request: Request) -> Response:
        flow = html.escape(request.query_params["flow"])
        return HTMLResponse(
            "<!doctype html><title>Consent</title><h1>Who are you?</h1>"
            '<form method="post" action="callback">'
            f'<input type="hidden" name="flow" value="{flow}">'
            '<button name="do" value="allow">Allow</button>'
            '<button name="do" value="deny">Deny</button></form>'
        )

    async def _callback(self, request: Request) -> Response:
        form = await request.form()
        code = str(form["flow"])
        flow = self.flows[code]
        back = URL(flow.redirect_to)
        try:
            flow.account = self._account(flow, allowed=form["do"] == "allow")
        except Refused as refused:
            error = "access_denied" if refused.status in {400, 403} else "server_error"
            back = back.copy_merge_params({"error": error, "error_description": "No."})
            if refused.code != error:
                back = back.copy_merge_params({"error_code": refused.code})
            return RedirectResponse(str(back), 302)
        return RedirectResponse(str(back.copy_merge_params({"code": code})), 302)

    def _account(self, flow: _Flow, *, allowed: bool) -> Account:
        if not allowed:
            raise Refused(400, "access_denied")
        person, accounts = self.person, self._server.accounts
        key = (flow.provider, person.subject)
        owner = next(
            (
                account
                for account in accounts.values()
                if key in {(each["provider"], each["id"]) for each in account.identities}
            ),
            None,
        )
        if flow.target is not None:
            if owner is not None:
                raise Refused(422, "identity_already_exists")
            self._link(flow.target, flow.provider)
            return flow.target
        if owner is None:
            if not person.verified:
                raise Refused(403, "provider_email_needs_verification")
            owner = accounts.setdefault(person.email, Account(person.email, "", person.name))
            if not owner.confirmed:
                # Whoever made it never showed that the address is theirs.
                owner.password, owner.identities = "", []
            owner.confirmed = True
            self._link(owner, flow.provider)
        return owner

    def _link(self, account: Account, provider: str) -> None:
        person = self.person
        account.identities.append(identity(account, provider, person.subject, person.email))

    async def _unlink(self, request: Request) -> Response:
        account = self._server.bearer(request)
        self._check_linking()
        wanted = request.path_params["id"]
        if len(account.identities) <= 1:
            raise Refused(422, "single_identity_not_deletable")
        if wanted not in {each["identity_id"] for each in account.identities}:
            raise Refused(422, "identity_not_found")
        account.identities = [e for e in account.identities if e["identity_id"] != wanted]
        return JSONResponse({})

    def _check_linking(self) -> None:
        if not self.manual_linking:
            raise Refused(404, "manual_linking_disabled")


def identity(account: Account, provider: str, subject: str, email: str) -> dict[str, Any]:
    """One way to sign in to an account, as Supabase shows it."""
    now = datetime.now(UTC).isoformat()
    return {
        "identity_id": str(uuid.uuid4()),
        "id": subject,
        "user_id": account.id,
        "identity_data": {"sub": subject, "email": email},
        "provider": provider,
        "created_at": now,
        "last_sign_in_at": now,
        "updated_at": now,
    }
