"""Links by mail, the second factor, devices, tokens, fresh sign-in, the end of an account."""

import html
import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from tests.routers.conftest import ON_BOTH, PASSWORD, Visit, browser_for
from tests.support.accounts import get_stale, link_fields, sign_up, turn_on_second_factor

pytestmark = ON_BOTH
SIGN_IN = {"email": "hana@example.com", "password": PASSWORD}


class TestForgottenPassword:
    async def test_through_the_mail_to_a_new_one(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI
    ) -> None:
        answer = await client.post("/forgot-password", data={"email": "Hana@example.com"})
        assert answer.headers["location"] == "/check-mail"
        link = link_fields(app.state.mailer.mails[0].text)
        assert link["type"] == "recovery"
        await client.get("/auth/confirm", params=link)  # a scanner's GET uses nothing up
        answer = await client.post("/auth/confirm", data=link)
        assert answer.headers["location"] == "/reset-password"
        assert (await client.post("/reset-password", data={"new": "short"})).status_code == 422
        answer = await client.post("/reset-password", data={"new": "another good one"})
        assert answer.headers["location"] == "/sign-in"
        assert (await hana.get("/account")).status_code == 303, "all devices are signed out"
        assert (await client.post("/sign-in", data=SIGN_IN)).status_code == 422
        new = SIGN_IN | {"password": "another good one"}
        assert (await client.post("/sign-in", data=new)).status_code == 303

    async def test_the_form_is_good_once(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI
    ) -> None:
        await client.post("/forgot-password", data={"email": "hana@example.com"})
        await client.post("/auth/confirm", data=link_fields(app.state.mailer.mails[0].text))
        pending = client.cookies[f"{SLUG}-pending"]
        await client.post("/reset-password", data={"new": "another good one"})
        client.cookies.set(f"{SLUG}-pending", pending)
        answer = await client.post("/reset-password", data={"new": "of the thief, this"})
        assert answer.headers["location"] == "/forgot-password"

    async def test_unknown_addresses_look_the_same_and_get_no_mail(
        self, client: AsyncClient, app: FastAPI
    ) -> None:
        for path in ("/forgot-password", "/sign-in/link"):
            answer = await client.post(path, data={"email": "nobody@example.com"})
            assert answer.headers["location"] == "/check-mail"
        assert app.state.mailer.mails == ()

    async def test_without_the_link_there_is_no_form(self, client: AsyncClient) -> None:
        for method in ("GET", "POST"):
            answer = await client.request(method, "/reset-password")
            assert answer.headers["location"] == "/forgot-password"


async def test_signing_in_by_mail(hana: AsyncClient, client: AsyncClient, app: FastAPI) -> None:
    await client.post("/sign-in/link", data={"email": "hana@example.com"})
    link = link_fields(app.state.mailer.mails[0].text)
    assert (await client.post("/auth/confirm", data=link)).headers["location"] == AFTER_SIGN_IN
    assert (await client.get("/account")).status_code == 200
    assert (await browser_for(app).post("/auth/confirm", data=link)).status_code == 422


async def test_a_new_address(hana: AsyncClient, app: FastAPI) -> None:
    wrong = await hana.post("/account/email", data={"email": "new@example.com"})
    assert wrong.status_code == 422
    fields = {"email": "new@example.com", "password": PASSWORD}
    answer = await hana.post("/account/email", data=fields)
    assert answer.headers["location"] == "/check-mail"
    assert "hana@example.com" in (await hana.get("/account")).text
    mail = app.state.mailer.mails[0]
    assert mail.to == "new@example.com"
    await browser_for(app).post("/auth/confirm", data=link_fields(mail.text))
    assert "new@example.com" in (await hana.get("/account")).text
    assert app.state.mailer.mails[0].to == "hana@example.com", "the old address is told"


class TestSecondFactor:
    async def test_signing_in_takes_a_code(self, hana: AsyncClient, client: AsyncClient) -> None:
        _key, codes = await turn_on_second_factor(hana)
        assert (await hana.get("/account")).status_code == 200
        answer = await client.post("/sign-in", data=SIGN_IN | {"next": "/account"})
        assert answer.headers["location"] == "/sign-in/code"
        assert (await client.get("/account")).status_code == 303, "the password is not enough"
        assert (await client.post("/sign-in/code", data={"code": "000000"})).status_code == 422
        answer = await client.post("/sign-in/code", data={"code": codes[0]})
        assert answer.headers["location"] == "/account"
        assert (await client.get("/account")).status_code == 200

    async def test_a_link_by_mail_does_not_go_around_it(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI
    ) -> None:
        await turn_on_second_factor(hana)
        await client.post("/sign-in/link", data={"email": "hana@example.com"})
        link = link_fields(app.state.mailer.mails[0].text)
        answer = await client.post("/auth/confirm", data=link)
        assert answer.headers["location"] == "/sign-in/code"

    async def test_a_code_alone_is_nothing(self, client: AsyncClient) -> None:
        for method in ("GET", "POST"):
            answer = await client.request(method, "/sign-in/code", data={"code": "000000"})
            assert answer.headers["location"] == "/sign-in"

    async def test_turning_it_on_signs_out_all_others(self, visit: Visit, app: FastAPI) -> None:
        here, there = await visit("Hana"), browser_for(app)
        await there.post("/sign-in", data=SIGN_IN)
        before = here.cookies[f"{SLUG}-session"]
        await turn_on_second_factor(here)
        assert here.cookies[f"{SLUG}-session"] != before, "more rights, another token"
        assert (await there.get("/account")).status_code == 303

    async def test_new_codes_and_off(self, hana: AsyncClient) -> None:
        _key, codes = await turn_on_second_factor(hana)
        shown = await hana.post("/account/second-factor/codes")
        assert not set(codes) & set(re.findall(r">(\w{5}-\w{5})<", shown.text))
        await hana.post("/account/second-factor/off")
        assert "QR code" in (await hana.get("/account/second-factor")).text


class TestFreshSignIn:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/account/email"),
            ("GET", "/account/second-factor"),
            ("POST", "/account/second-factor"),
            ("POST", "/account/second-factor/codes"),
            ("POST", "/account/second-factor/off"),
            ("POST", "/account/tokens"),
            ("GET", "/account/delete"),
            ("POST", "/account/delete"),
        ],
    )
    async def test_sensitive_things_ask_for_the_password_again(
        self, hana: AsyncClient, app: FastAPI, method: str, path: str
    ) -> None:
        await get_stale(app)
        answer = await hana.request(method, path)
        assert answer.headers["location"].startswith("/account/verify")

    async def test_with_it_one_goes_on_under_another_token(
        self, hana: AsyncClient, app: FastAPI
    ) -> None:
        await get_stale(app)
        before = hana.cookies[f"{SLUG}-session"]
        wrong = await hana.post("/account/verify", data={"password": "wrong"})
        assert wrong.status_code == 422
        fields = {"password": PASSWORD, "next": "/account/delete"}
        answer = await hana.post("/account/verify", data=fields)
        assert answer.headers["location"] == "/account/delete"
        assert hana.cookies[f"{SLUG}-session"] != before
        assert (await hana.get("/account/delete")).status_code == 200


class TestDevices:
    async def test_each_can_be_signed_out(self, visit: Visit, app: FastAPI) -> None:
        here, there = await visit("Hana"), browser_for(app)
        there.headers["User-Agent"] = "Mozilla/5.0 (iPhone) AppleWebKit Safari/605"
        await there.post("/sign-in", data=SIGN_IN)
        page = (await here.get("/account/sessions")).text
        assert "Safari · iPhone" in page
        (other,) = re.findall(r"/account/sessions/(\d+)/end", page)
        await here.post(f"/account/sessions/{other}/end")
        assert (await there.get("/account")).status_code == 303
        assert (await here.get("/account")).status_code == 200

    async def test_all_others_at_once(self, visit: Visit, app: FastAPI) -> None:
        here, there = await visit("Hana"), browser_for(app)
        await there.post("/sign-in", data=SIGN_IN)
        await here.post("/account/sessions/end-others")
        assert (await there.get("/account")).status_code == 303
        assert (await here.get("/account")).status_code == 200

    async def test_what_happened_is_listed(self, client: AsyncClient, app: FastAPI) -> None:
        await sign_up(client, app, "Hana")
        page = (await client.get("/account/sessions")).text
        for event in ("Account made", "Address confirmed", "Signed in"):
            assert event in page


class TestAccessTokens:
    async def make(self, browser: AsyncClient, scope: str) -> str:
        fields = {"name": f"For {scope}", "scope": scope, "days": "7"}
        page = (await browser.post("/account/tokens", data=fields)).text
        found = re.search(r"pfx_[\w-]+", page)
        assert found is not None
        assert found[0] not in (await browser.get("/account/tokens")).text, "shown once"
        return found[0]

    async def test_programs_work_with_them_as_far_as_they_may(
        self, hana: AsyncClient, app: FastAPI, probe: str
    ) -> None:
        program = browser_for(app)
        del program.headers["Origin"]
        read, write = await self.make(hana, "read"), await self.make(hana, "write")
        program.headers["Authorization"] = f"Bearer {read}"
        assert (await program.get(probe)).status_code == 200
        refused = await program.post(probe)
        assert refused.status_code == 403
        assert "insufficient_scope" in refused.headers["www-authenticate"]
        program.headers["Authorization"] = f"Bearer {write}"
        assert (await program.post(probe)).status_code == 200
        assert (await program.get("/account")).status_code == 303, "only under /api"

    async def test_revoked_it_is_good_for_nothing(
        self, hana: AsyncClient, app: FastAPI, probe: str
    ) -> None:
        program = browser_for(app)
        program.headers["Authorization"] = f"Bearer {await self.make(hana, 'read')}"
        (token_id,) = re.findall(r"tokens/(\d+)/revoke", (await hana.get("/account/tokens")).text)
        await hana.post(f"/account/tokens/{token_id}/revoke")
        refused = await program.get(probe)
        assert refused.status_code == 401
        assert refused.json()["trace_id"] == refused.headers["x-trace-id"]


class TestDeletion:
    async def test_everything_is_gone(
        self, hana: AsyncClient, client: AsyncClient, visit: Visit
    ) -> None:
        await hana.post("/account/tokens", data={"name": "Mine", "scope": "read", "days": "7"})
        wrong = await hana.post("/account/delete", data={"email": "taro@example.com"})
        assert wrong.status_code == 422
        answer = await hana.post("/account/delete", data={"email": "hana@example.com"})
        assert answer.headers["location"] == "/"
        assert "Your account is deleted" in html.unescape((await hana.get("/")).text)
        assert (await client.post("/sign-in", data=SIGN_IN)).status_code == 422
        again = await visit("Hana")
        assert "Mine" not in (await again.get("/account/tokens")).text
