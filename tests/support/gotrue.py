"""A stand-in for Supabase Auth: answers as the real one does, and refuses what it refuses."""

import secrets
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.gotrue_oauth import Account, GoTrueOAuth, Refused, identity

PUBLISHABLE = "sb_publishable_test"
SECRET = "sb_secret_test"


class GoTrue:
    """`app` is the server; `mails` are the links that it sent: (type, address, token).

    `signing_keys` are those that it publishes; its time is off by `clock`. With
    `secure_email_change` both addresses have to confirm a change. `weak` are passwords that it does
    not take; with `mails_rarely` the second mail to an address always comes too soon.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.mails: list[tuple[str, str, str]] = []
        self._links: dict[str, tuple[str, Account]] = {}
        self._access: dict[str, Account] = {}
        self._refresh: dict[str, tuple[Account, str]] = {}
        self._session_of: dict[str, str] = {}
        self._used: set[str] = set()
        self.signing_keys: list[dict[str, str]] = []
        self.clock = timedelta()
        self.secure_email_change = False
        self.weak: set[str] = set()
        self.mails_rarely = False
        self.oauth = GoTrueOAuth(self)
        routes = {
            ("POST", "/signup"): self._sign_up,
            ("POST", "/token"): self._token,
            ("POST", "/verify"): self._verify,
            ("POST", "/otp"): self._otp,
            ("POST", "/recover"): self._recover,
            ("POST", "/resend"): self._resend,
            ("PUT", "/user"): self._update,
            ("GET", "/user"): self._user,
            ("POST", "/logout"): self._log_out,
            ("DELETE", "/admin/users/{id}"): self._delete,
            ("GET", "/admin/users"): self._users,
            ("GET", "/settings"): self._settings,
            ("POST", "/admin/users"): self._add,
            ("GET", "/admin/users/{id}"): self._account,
            ("POST", "/admin/generate_link"): self._make_link,
            **self.oauth.guarded,
        }
        self.app = Starlette(
            routes=[
                Route("/.well-known/jwks.json", self._jwks),  # these want no key
                *self.oauth.open,
                *(Route(path, _guarded(do), methods=[m]) for (m, path), do in routes.items()),
            ]
        )

    def accept(self, token: str, account: Account) -> None:
        """Take a token that a test made for one of its own."""
        self._access[token] = account

    async def _sign_up(self, request: Request) -> Response:
        body = await request.json()
        self._check_strength(body["password"])
        known = self.accounts.get(body["email"])
        if known is None or not known.confirmed:
            known = Account(body["email"], body["password"], body.get("data", {}).get("name", ""))
            known.identities.append(identity(known, "email", known.id, known.email))
            self.accounts[known.email] = known
            self._mail("email", known.email, known)
            return JSONResponse(_shown(known))
        # A user who does not exist: nobody learns that the address is taken.
        return JSONResponse(_shown(Account(known.email, "", "")) | {"identities": []})

    async def _token(self, request: Request) -> Response:
        body = await request.json()
        match request.query_params.get("grant_type"):
            case "password":
                account = self.accounts.get(body.get("email", ""))
                if account is None or account.password != body.get("password"):
                    raise Refused(400, "invalid_credentials")
                if not account.confirmed:
                    raise Refused(400, "email_not_confirmed")
                return JSONResponse(self._session(account))
            case "refresh_token":
                token = body.get("refresh_token", "")
                if token in self._used:
                    raise Refused(400, "refresh_token_already_used")
                if token not in self._refresh:
                    raise Refused(400, "refresh_token_not_found")
                self._used.add(token)
                account, session_id = self._refresh.pop(token)
                return JSONResponse(self._session(account, session_id))
            case "pkce":
                return JSONResponse(self._session(self.oauth.redeem(body)))
        raise Refused(400, "unsupported_grant_type")

    async def _verify(self, request: Request) -> Response:
        body = await request.json()
        type_, account = self._links.pop(body.get("token_hash", ""), ("", None))
        if account is None or type_ != body.get("type"):
            raise Refused(403, "otp_expired")
        account.confirmed = True
        if type_ == "email_change":
            if any(link == ("email_change", account) for link in self._links.values()):
                said = "Confirmation link accepted."
                return JSONResponse({"msg": said, "code": "200"})
            self.accounts.pop(account.email)
            account.email = account.new_email
            self.accounts[account.email] = account
        return JSONResponse(self._session(account))

    async def _otp(self, request: Request) -> Response:
        body = await request.json()
        account = self.accounts.get(body["email"])
        if account is None and not body.get("create_user", True):
            raise Refused(422, "otp_disabled")
        if account is not None:
            self._mail("magiclink", account.email, account)
        return JSONResponse({})

    async def _recover(self, request: Request) -> Response:
        account = self.accounts.get((await request.json())["email"])
        if account is not None:
            self._mail("recovery", account.email, account)
        return JSONResponse({})

    async def _resend(self, request: Request) -> Response:
        account = self.accounts.get((await request.json())["email"])
        if account is not None and not account.confirmed:
            self._mail("email", account.email, account)
        return JSONResponse({})

    async def _update(self, request: Request) -> Response:
        account, body = self.bearer(request), await request.json()
        if body.get("password") == account.password:
            raise Refused(422, "same_password")
        self._check_strength(body.get("password", account.password))
        account.password = body.get("password", account.password)
        if email := body.get("email"):
            if email in self.accounts:
                raise Refused(422, "email_exists")
            account.new_email = email
            for address in (account.email, email) if self.secure_email_change else (email,):
                self._mail("email_change", address, account)
        return JSONResponse(_shown(account))

    async def _user(self, request: Request) -> Response:
        return JSONResponse(_shown(self.bearer(request)))

    async def _log_out(self, request: Request) -> Response:
        account = self.bearer(request)
        if request.query_params.get("scope") not in {"local", "others", "global"}:
            raise Refused(400, "validation_failed")
        token = request.headers["authorization"].removeprefix("Bearer ")
        scope, this = request.query_params["scope"], self._session_of[token]
        self._refresh = {
            refresh: (whose, session_id)
            for refresh, (whose, session_id) in self._refresh.items()
            if whose is not account
            or (scope == "others" and session_id == this)
            or (scope == "local" and session_id != this)
        }
        return Response(status_code=204)

    async def _delete(self, request: Request) -> Response:
        if request.headers["apikey"] != SECRET:
            raise Refused(403, "not_admin")
        found = [a for a in self.accounts.values() if a.id == request.path_params["id"]]
        if not found:
            raise Refused(404, "user_not_found")
        del self.accounts[found[0].email]
        self._refresh = {t: it for t, it in self._refresh.items() if it[0] is not found[0]}
        return JSONResponse({})

    async def _add(self, request: Request) -> Response:
        if request.headers["apikey"] != SECRET:
            raise Refused(403, "not_admin")
        body = await request.json()
        if body["email"] in self.accounts:
            raise Refused(422, "email_exists")
        name = body.get("user_metadata", {}).get("name", "")
        made = Account(body["email"], body["password"], name)
        made.confirmed = body.get("email_confirm", False)
        made.identities.append(identity(made, "email", made.id, made.email))
        self.accounts[made.email] = made
        return JSONResponse(_shown(made))

    async def _make_link(self, request: Request) -> Response:
        if request.headers["apikey"] != SECRET:
            raise Refused(403, "not_admin")
        body = await request.json()
        account = self.accounts.get(body["email"])
        if account is None or body["type"] != "magiclink":
            raise Refused(404, "user_not_found")
        token = self.link("magiclink", account)
        made = {
            "action_link": f"{request.base_url}verify?type=magiclink&token={token}",
            "email_otp": "123456",
            "hashed_token": token,
            "redirect_to": "",
            "verification_type": "magiclink",
        }
        return JSONResponse(_shown(account) | made)

    async def _account(self, request: Request) -> Response:
        if request.headers["apikey"] != SECRET:
            raise Refused(403, "not_admin")
        found = [a for a in self.accounts.values() if a.id == request.path_params["id"]]
        if not found:
            raise Refused(404, "user_not_found")
        return JSONResponse(_shown(found[0]))

    async def _users(self, request: Request) -> Response:
        if request.headers["apikey"] != SECRET:
            raise Refused(403, "not_admin")
        return JSONResponse({"users": [_shown(each) for each in self.accounts.values()]})

    async def _settings(self, _request: Request) -> Response:
        date = format_datetime(datetime.now(UTC) + self.clock, usegmt=True)
        on = {name: name in self.oauth.providers for name in ("github", "google", "gitlab")}
        return JSONResponse({"external": {"email": True, **on}}, headers={"Date": date})

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": self.signing_keys})

    def _check_strength(self, password: str) -> None:
        if len(password) < 6 or password in self.weak:
            raise Refused(422, "weak_password")

    def _mail(self, type_: str, to: str, account: Account) -> None:
        if self.mails_rarely and to in {to for _, to, _ in self.mails}:
            raise Refused(429, "over_email_send_rate_limit")
        self.mails.insert(0, (type_, to, self.link(type_, account)))

    def link(self, type_: str, account: Account) -> str:
        """The token of a new link."""
        token = secrets.token_hex(28)
        self._links[token] = (type_, account)
        return token

    def bearer(self, request: Request) -> Account:
        """Whose access token a request has."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or token in {PUBLISHABLE, SECRET}:
            raise Refused(401, "no_authorization")
        if token not in self._access:
            raise Refused(403, "bad_jwt")
        return self._access[token]

    def _session(self, account: Account, session_id: str = "") -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
        session_id = session_id or secrets.token_hex(8)
        self._access[access], self._session_of[access] = account, session_id
        self._refresh[refresh] = (account, session_id)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "bearer",
            "expires_in": 3600,
            "user": _shown(account),
        }


def _guarded(do: Any) -> Any:
    async def answer(request: Request) -> Response:
        if request.headers.get("apikey") not in {PUBLISHABLE, SECRET}:
            return JSONResponse({"message": "No API key found in request"}, 401)
        try:
            response: Response = await do(request)
        except Refused as refused:
            content: dict[str, object] = {"code": refused.code, "message": refused.code}
            if refused.code == "weak_password":
                content["weak_password"] = {"reasons": ["pwned"]}
            response = JSONResponse(content, refused.status)
        response.headers["X-Supabase-Api-Version"] = "2024-01-01"
        return response

    return answer


def _shown(account: Account) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "id": account.id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": account.email,
        "email_confirmed_at": now if account.confirmed else None,
        "app_metadata": {"provider": "email"},
        "user_metadata": {"name": account.name},
        "created_at": now,
        "updated_at": now,
        "identities": account.identities,
    }
