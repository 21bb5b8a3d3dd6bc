"""The stand-ins for GitHub and Google refuse what the real ones refuse."""

from fastapi import FastAPI
from httpx import URL

from app.services.oauth.flow import Flow
from tests.routers.conftest import ORIGIN
from tests.support.oauth_servers import CLIENT_ID, CLIENT_SECRET, Servers


class TestTheStandIn:
    """It refuses what the real ones refuse."""

    BACK = f"{ORIGIN}/oauth/github/callback"

    async def code(self, app: FastAPI, servers: Servers) -> tuple[str, str]:
        """A fresh code, and the verifier that belongs to it."""
        flow = Flow.begin("github", "sign_in", self.BACK)
        url = app.state.oauth_clients["github"].authorize_url(flow)
        return URL(await servers.answer(url)).params["code"], flow.verifier

    async def redeem(self, servers: Servers, code: str, verifier: str, **changes: str) -> str:
        """The error that comes of it."""
        fields = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "code": code,
            "redirect_uri": self.BACK,
            "code_verifier": verifier,
        }
        async with servers.browser() as browser:
            url = "https://github.com/login/oauth/access_token"
            headers = {"Accept": "application/json"}
            answer = await browser.post(url, data=fields | changes, headers=headers)
            return str(answer.json().get("error", ""))

    async def test_codes(self, app: FastAPI, servers: Servers) -> None:
        bad = "bad_verification_code"
        code, verifier = await self.code(app, servers)
        assert await self.redeem(servers, "never made", verifier) == bad
        assert await self.redeem(servers, code, verifier) == ""
        assert await self.redeem(servers, code, verifier) == bad, "used"
        code, _verifier = await self.code(app, servers)
        assert await self.redeem(servers, code, "v" * 43) == bad
        code, verifier = await self.code(app, servers)
        assert (
            await self.redeem(servers, code, verifier, redirect_uri="https://evil.example") == bad
        )
        code, verifier = await self.code(app, servers)
        wrong = await self.redeem(servers, code, verifier, client_secret="guessed")
        assert wrong == "incorrect_client_credentials"

    async def test_what_a_browser_is_sent_with(self, app: FastAPI, servers: Servers) -> None:
        flow = Flow.begin("google", "sign_in", f"{ORIGIN}/oauth/google/callback")
        url = URL(app.state.oauth_clients["google"].authorize_url(flow))
        async with servers.browser() as browser:
            assert (await browser.get(url)).status_code == 200
            for name in ("state", "nonce", "code_challenge", "client_id", "redirect_uri", "scope"):
                answer = await browser.get(url.copy_remove_param(name))
                assert (answer.status_code, answer.text) == (400, f"wrong: {name}")
            plain = url.copy_set_param("code_challenge_method", "plain")
            assert (await browser.get(plain)).status_code == 400
