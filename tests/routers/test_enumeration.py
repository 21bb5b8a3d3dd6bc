"""Nobody learns by work or by time whether an address has an account."""

import statistics
import time

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.services.password_hasher import PasswordHasher
from tests.routers.conftest import PASSWORD, browser_for
from tests.routers.test_forms_fuzz import Unlimited
from tests.support.accounts import sign_up
from tests.support.statements import statements

KNOWN, UNKNOWN = "hana@example.com", "nobody@example.com"


@pytest.fixture(autouse=True)
async def _account(app: FastAPI) -> None:
    """Passwords are hashed as in production."""
    app.state.rate_limits = Unlimited()
    app.state.hasher = PasswordHasher()
    await sign_up(browser_for(app), app, "Hana")


async def test_the_same_is_asked_of_the_database(client: AsyncClient, app: FastAPI) -> None:
    asked = []
    for email in (KNOWN, UNKNOWN):
        with statements(app.state.database.engine) as sent:
            await client.post("/sign-in", data={"email": email, "password": "wrong"})
        asked.append(sent)
    assert asked[0] == asked[1] != []


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_the_time_does_not_tell(client: AsyncClient, app: FastAPI, path: str) -> None:
    """Known and unknown addresses in turn."""
    times: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for number in range(25):
        for email, taken in times.items():
            address = email if path == "/sign-in" or email == KNOWN else f"new{number}@example.com"
            fields = {"email": address, "name": "Hana", "password": f"{PASSWORD}!"}
            started = time.perf_counter()
            await client.post(path, data=fields)
            taken.append(time.perf_counter() - started)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) < 0.4 * max(known, unknown), (known, unknown)
