"""What is tried too often is refused in words, and with the time to wait."""

from httpx import AsyncClient

from app.services.rate_limits import MAIL_BY_ACCOUNT, SIGN_IN_BY_ACCOUNT, TOKEN_BY_IP


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
