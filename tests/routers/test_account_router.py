"""Sign up, sign in, sign out, and the account page, as forms."""

import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.mail import NoMailer
from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from tests.routers.conftest import HTMX, ORIGIN, PASSWORD, Visit, browser_for
from tests.support.accounts import link_fields, sign_up

SIGN_UP = {"name": "Hana", "email": "hana@example.com", "password": PASSWORD}
SIGN_IN = {"email": "hana@example.com", "password": PASSWORD}
CHANGE = {"current": PASSWORD, "new": "another good one"}


def problems(answer: Response) -> list[str]:
    """What a page says to be wrong, field by field."""
    return re.findall(r'id="\w+-error">([^<]*)<', answer.text)


def whole_problem(answer: Response) -> str:
    found = re.search(r'role="alert">([^<]*)<', answer.text)
    return found[1] if found else ""


class TestSignUp:
    async def test_from_the_form_through_the_mail_to_the_welcome(
        self, client: AsyncClient, app: FastAPI
    ) -> None:
        answer = await client.post("/sign-up", data=SIGN_UP)
        assert (answer.status_code, answer.headers["location"]) == (303, "/check-mail")
        assert f"{SLUG}-session" not in client.cookies
        mailbox = await client.get("/dev/mail")
        assert "Confirm your e-mail address" in mailbox.text
        link = link_fields(mailbox.text)
        page = await client.get("/auth/confirm", params=link)
        assert 'name="password"' in page.text
        wrong = await client.post("/auth/confirm", data=link | {"password": "of somebody else"})
        assert wrong.status_code == 422, "opening it in vain does not use it up"
        answer = await client.post("/auth/confirm", data=link | {"password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, AFTER_SIGN_IN)
        assert "Welcome, Hana." in (await client.get(AFTER_SIGN_IN)).text
        again = await client.post("/auth/confirm", data=link | {"password": PASSWORD})
        assert whole_problem(again).startswith("This link was used already")

    @pytest.mark.parametrize(
        "path",
        [
            "/dev/mail",
            "/check-mail",
            "/forgot-password",
            "/sign-in/link",
            "/auth/confirm?token_hash=x&type=email_change",
        ],
    )
    async def test_who_is_signed_in_already_is_not_asked_to_on_the_way(
        self, hana: AsyncClient, path: str
    ) -> None:
        page = (await hana.get(path)).text
        assert 'id="account-menu"' in page
        assert 'href="/sign-in"' not in page

    async def test_mail_speaks_the_language_of_the_page(
        self, client: AsyncClient, app: FastAPI
    ) -> None:
        await client.post("/sign-up", data=SIGN_UP, headers={"Accept-Language": "ja"})
        assert app.state.mailer.mails[0].subject == "メールアドレスの確認"

    async def test_without_mail_nobody_can_sign_up(self, client: AsyncClient, app: FastAPI) -> None:
        app.state.mailer = NoMailer()
        answer = await client.post("/sign-up", data=SIGN_UP)
        assert answer.status_code == 503
        for path in ("/sign-up", "/forgot-password"):
            assert "cannot send mail yet" in (await client.get(path)).text
        assert (await client.get("/dev/mail")).status_code == 404

    async def test_the_mailbox_is_for_development_only(
        self, client: AsyncClient, app: FastAPI
    ) -> None:
        app.state.settings = app.state.settings.model_copy(update={"environment": "production"})
        assert (await client.get("/dev/mail")).status_code == 404

    async def test_a_common_password_is_refused(self, client: AsyncClient) -> None:
        answer = await client.post("/sign-up", data=SIGN_UP | {"password": "password1234"})
        assert problems(answer) == [
            "This is one of the passwords that are tried first. Please choose another."
        ]

    async def test_each_problem_stands_beside_its_field(self, client: AsyncClient) -> None:
        answer = await client.post(
            "/sign-up", data={"name": " ", "email": "hana", "password": "short"}
        )
        assert answer.status_code == 422
        assert problems(answer) == [
            "Please fill this in.",
            "Please enter an e-mail address such as name@example.com.",
            "Please use at least 12 characters.",
        ]
        assert 'value="hana"' in answer.text, "what was typed is kept"
        assert "short" not in answer.text, "but not the password"

    async def test_a_taken_address_is_told_only_to_its_owner(
        self, hana: AsyncClient, client: AsyncClient, app: FastAPI
    ) -> None:
        new = await client.post("/sign-up", data=SIGN_UP | {"email": "new@example.com"})
        taken = await client.post("/sign-up", data=SIGN_UP | {"email": "HANA@example.com"})
        assert (new.status_code, new.headers["location"]) == (303, "/check-mail")
        assert (taken.status_code, taken.headers["location"]) == (303, "/check-mail")
        assert app.state.mailer.mails[0].subject == "You already have an account"

    async def test_the_address_is_no_password(self, client: AsyncClient) -> None:
        answer = await client.post("/sign-up", data=SIGN_UP | {"password": SIGN_UP["email"]})
        assert answer.status_code == 422
        assert whole_problem(answer) == "Please do not use your e-mail address as the password."


class TestSignIn:
    @pytest.fixture(autouse=True)
    async def _account(self, app: FastAPI) -> None:
        browser = browser_for(app)
        await sign_up(browser, app, "Hana")

    async def test_it_goes_on_to_where_the_user_was_heading(self, client: AsyncClient) -> None:
        answer = await client.get("/account?x=1")
        assert answer.headers["location"] == "/sign-in?next=/account%3Fx%3D1"
        form = await client.get(answer.headers["location"])
        assert 'name="next" value="/account?x=1"' in form.text
        answer = await client.post("/sign-in", data=SIGN_IN | {"next": "/account?x=1"})
        assert answer.headers["location"] == "/account?x=1"

    async def test_it_goes_on_to_a_page_in_any_language(self, client: AsyncClient) -> None:
        sent = SIGN_IN | {"next": "/items?q=日本"}
        for headers, name in ((HTMX, "hx-redirect"), ({}, "location")):
            answer = await client.post("/sign-in", data=sent, headers=headers)
            assert answer.headers[name] == "/items?q=%E6%97%A5%E6%9C%AC"

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "/\r\nSet-Cookie: session=of-another",
            "/\u2028/evil.example/",
            "///evil.example/",
            "%2f%2fevil.example/",
            "http:evil.example",
            "javascript:alert(1)",
            "items",
            "\x01/x",
            "",
        ],
    )
    async def test_it_never_leaves_the_site(self, client: AsyncClient, target: str) -> None:
        answer = await client.post("/sign-in", data=SIGN_IN | {"next": target})
        assert answer.headers["location"] == AFTER_SIGN_IN
        answer = await client.get("/sign-in", params={"next": target})
        assert answer.headers["location"] == AFTER_SIGN_IN

    @pytest.mark.parametrize(
        "wrong",
        [{"password": "wrong"}, {"email": "nobody@example.com"}, {"email": "x"}, {"password": ""}],
    )
    async def test_whatever_is_wrong_looks_the_same(
        self, client: AsyncClient, wrong: dict[str, str]
    ) -> None:
        answer = await client.post("/sign-in", data=SIGN_IN | wrong)
        assert answer.status_code == 422
        assert whole_problem(answer) == "The e-mail address or the password is not right."
        assert "set-cookie" not in answer.headers
        assert PASSWORD not in answer.text

    async def test_who_is_signed_in_goes_on(self, client: AsyncClient) -> None:
        await client.post("/sign-in", data=SIGN_IN)
        for path in ("/sign-in", "/sign-up"):
            answer = await client.get(f"{path}?next=/account")
            assert answer.headers["location"] == "/account"

    async def test_signing_in_again_ends_the_session_before(self, client: AsyncClient) -> None:
        await client.post("/sign-in", data=SIGN_IN)
        old = client.cookies[f"{SLUG}-session"]
        await client.post("/sign-in", data=SIGN_IN)
        assert client.cookies[f"{SLUG}-session"] != old
        client.cookies.clear()
        client.cookies.set(f"{SLUG}-session", old)
        assert (await client.get("/account")).status_code == 303

    async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
        self, client: AsyncClient
    ) -> None:
        cookie = (await client.post("/sign-in", data=SIGN_IN)).headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


class TestSignOut:
    async def test_the_session_is_over_on_the_server_too(self, hana: AsyncClient) -> None:
        token = hana.cookies[f"{SLUG}-session"]
        answer = await hana.post("/sign-out")
        assert answer.headers["location"] == "/"
        assert f"{SLUG}-session" not in hana.cookies
        assert "You are signed out." in (await hana.get("/")).text
        hana.cookies.set(f"{SLUG}-session", token)
        assert (await hana.get("/account")).status_code == 303

    async def test_without_a_session_it_is_harmless(self, client: AsyncClient) -> None:
        assert (await client.post("/sign-out")).status_code == 303


class TestAccount:
    async def test_anonymous_is_sent_to_sign_in(self, client: AsyncClient) -> None:
        for path in ("/account", "/account/password"):
            answer = await client.get(path)
            assert answer.headers["location"].startswith("/sign-in?next=/account")
        answer = await client.post("/account/password", data=CHANGE)
        assert answer.headers["location"].startswith("/sign-in")

    async def test_it_shows_who_one_is(self, hana: AsyncClient) -> None:
        page = (await hana.get("/account")).text
        assert "Hana" in page
        assert "hana@example.com" in page
        assert "Administrator" not in page

    async def test_a_new_password_signs_out_all_others(self, visit: Visit, app: FastAPI) -> None:
        here, there = await visit("Hana"), browser_for(app)
        await there.post("/sign-in", data=SIGN_IN)
        answer = await here.post("/account/password", data=CHANGE)
        assert answer.headers["location"] == "/account"
        assert "Your password is changed." in (await here.get("/account")).text
        assert (await there.get("/account")).status_code == 303
        assert (await there.post("/sign-in", data=SIGN_IN)).status_code == 422
        new = SIGN_IN | {"password": CHANGE["new"]}
        assert (await there.post("/sign-in", data=new)).status_code == 303

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"current": "wrong"}, "This is not your password."),
            ({"new": "short"}, "Please use at least 12 characters."),
            ({"new": "hana@example.com"}, "Please do not use your e-mail address as the password."),
            ({"new": "x" * 129}, "Please use at most 128 characters."),
        ],
    )
    async def test_what_is_wrong_is_said(
        self, hana: AsyncClient, wrong: dict[str, str], said: str
    ) -> None:
        answer = await hana.post("/account/password", data=CHANGE | wrong)
        assert answer.status_code == 422
        assert problems(answer) == [said]
        # The page under the form's address can be reloaded and switched to another language.
        assert (await hana.get("/account/password")).status_code == 200


async def test_cookies_are_pinned_to_the_host_on_https(app: FastAPI) -> None:
    origin = "https://app.test"
    app.state.settings = app.state.settings.model_copy(update={"public_origin": origin})
    browser = browser_for(app)
    browser.base_url = origin
    browser.headers["Origin"] = ORIGIN
    await browser.post("/sign-up", data=SIGN_UP)
    link = link_fields(app.state.mailer.mails[0].text)
    answer = await browser.post("/auth/confirm", data=link | {"password": PASSWORD})
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        f"__Host-{SLUG}-session",
        f"__Host-{SLUG}-flash",
    }
    assert all("Secure" in cookie for cookie in cookies)
    assert (await browser.get("/account")).status_code == 200
