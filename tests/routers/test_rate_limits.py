"""What is tried too often is refused in words, and with the time to wait."""

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app.services.rate_limits import (
    MAIL_BY_ACCOUNT,
    SIGN_IN_BY_ACCOUNT,
    SIGN_IN_BY_IP,
    TOKEN_BY_IP,
)
from tests.routers.conftest import ORIGIN


async def test_guessing_a_password(hana: AsyncClient, client: AsyncClient) -> None:
    fields = {"email": "Hana@example.com ", "password": "wrong"}
    for _ in range(SIGN_IN_BY_ACCOUNT.times):
        assert (await client.post("/sign-in", data=fields)).status_code == 422
    answer = await client.post("/sign-in", data=fields | {"password": "correct horse battery"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= SIGN_IN_BY_ACCOUNT.seconds
    assert "That was tried too often." in answer.text
    other = await client.post("/sign-in", data={"email": "taro@example.com", "password": "x"})
    assert other.status_code == 422, "another account can be tried from the same address"
    assert (await hana.get("/account")).status_code == 200, "who is signed in goes on"


async def test_guessing_from_many_addresses_of_one_network(app: FastAPI) -> None:
    answers = []
    for number in range(SIGN_IN_BY_IP.times + 1):
        peer = (f"2001:db8:1:2::{number:x}", 1234)
        transport = ASGITransport(app, client=peer)
        async with AsyncClient(transport=transport, base_url=ORIGIN) as browser:
            fields = {"email": f"{number}@example.com", "password": "x"}
            answer = await browser.post("/sign-in", data=fields, headers={"Origin": ORIGIN})
            answers.append(answer.status_code)
    assert answers == [422] * SIGN_IN_BY_IP.times + [429]


async def test_flooding_a_mailbox(client: AsyncClient) -> None:
    """The same for addresses without an account: the limit tells nothing."""
    for path in ("/forgot-password", "/sign-in/link"):
        await client.post(path, data={"email": "nobody@example.com"})
    for _ in range(MAIL_BY_ACCOUNT.times - 2):
        await client.post("/forgot-password", data={"email": "nobody@example.com"})
    answer = await client.post("/forgot-password", data={"email": "nobody@example.com"})
    assert answer.status_code == 429


async def test_guessing_tokens(client: AsyncClient, probe: str) -> None:
    headers = {"Authorization": "Bearer pfx_guess"}
    for _ in range(TOKEN_BY_IP.times):
        assert (await client.get(probe, headers=headers)).status_code == 401
    answer = await client.get(probe, headers=headers)
    assert answer.status_code == 429
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]
