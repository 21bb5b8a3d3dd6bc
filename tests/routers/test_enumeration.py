"""Nobody learns by work or by time whether an address has an account."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.services.password_hasher import PasswordHasher
from tests.routers.conftest import PASSWORD, browser_for
from tests.routers.hard_tries import Unlimited
from tests.support.accounts import sign_up
from tests.support.statements import statements

KNOWN, UNKNOWN = "hana@example.com", "nobody@example.com"


@pytest.fixture(autouse=True)
async def _account(app: FastAPI) -> None:
    app.state.rate_limits = Unlimited()
    await sign_up(browser_for(app), app, "Hana")


async def test_the_same_is_asked_of_the_database(client: AsyncClient, app: FastAPI) -> None:
    asked = []
    for email in (KNOWN, UNKNOWN):
        with statements(app.state.database.engine) as sent:
            await client.post("/sign-in", data={"email": email, "password": "wrong"})
        asked.append(sent)
    assert asked[0] == asked[1] != []


class Counting(PasswordHasher):
    """Notes its work, which is nearly all the time that a request takes."""

    def __init__(self) -> None:
        super().__init__()
        self.work: list[str] = []

    async def hash(self, password: str) -> str:
        self.work.append("hash")
        return await super().hash(password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        self.work.append("verify")
        return await super().verify(password_hash, password)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_the_time_does_not_tell(client: AsyncClient, app: FastAPI, path: str) -> None:
    done = []
    for email in (KNOWN, UNKNOWN):
        app.state.hasher = hasher = Counting()
        await client.post(path, data={"email": email, "name": "Hana", "password": f"{PASSWORD}!"})
        done.append(hasher.work)
    assert done[0] == done[1] != []
