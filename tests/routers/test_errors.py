"""What failed requests get."""

import pytest
from fastapi import FastAPI, HTTPException
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.services.errors import Forbidden
from tests.routers.conftest import HTMX, ORIGIN, trace_id_shown


@pytest.fixture(autouse=True)
def _failing_routes(app: FastAPI) -> None:
    async def fail(kind: str) -> None:
        match kind:
            case "crash":
                raise ZeroDivisionError("secret detail")
            case "database":
                raise OperationalError("SELECT secret", {}, Exception("connection refused"))
            case "schema":
                async with app.state.database.system_session() as session:
                    await session.execute(text("SELECT secret FROM nowhere"))
            case "forbidden":
                raise Forbidden
            case _:
                raise HTTPException(int(kind), "secret detail")

    app.add_api_route("/fail/{kind}", fail)
    app.add_api_route("/api/fail/{kind}", fail, include_in_schema=False)


PAGES = [
    ("/fail/forbidden", 403),
    ("/nowhere", 404),
    ("/fail/409", 409),
    ("/fail/413", 413),
    ("/fail/422", 422),
    ("/fail/429", 429),
    ("/fail/crash", 500),
    ("/fail/schema", 500),
    ("/fail/502", 502),
    ("/fail/database", 503),
]


@pytest.mark.parametrize(("path", "status"), PAGES)
@pytest.mark.parametrize("language", ["en", "ja"])
async def test_people_get_a_page_with_the_trace_id_and_nothing_of_the_inside(
    client: AsyncClient,
    path: str,
    status: int,
    language: str,
) -> None:
    answer = await client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == status
    assert f'<html lang="{language}">' in answer.text
    assert trace_id_shown(answer) == answer.headers["x-trace-id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize(("path", "status"), PAGES)
async def test_programs_get_json(
    client: AsyncClient,
    path: str,
    status: int,
) -> None:
    answer = await client.get(f"/api{path}")
    assert answer.status_code == status
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


@pytest.mark.parametrize(("path", "status"), PAGES)
async def test_htmx_gets_a_toast_and_leaves_the_page_alone(
    client: AsyncClient,
    path: str,
    status: int,
) -> None:
    answer = await client.get(path, headers=HTMX)
    assert answer.status_code == status
    assert answer.headers["hx-reswap"] == "none"
    assert answer.text.lstrip().startswith('<hx-partial hx-target="#toasts"')
    assert answer.headers["x-trace-id"] in answer.text


async def test_a_method_that_a_page_does_not_have(client: AsyncClient) -> None:
    answer = await client.get("/sign-out")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert trace_id_shown(answer)


async def test_a_refused_method_is_told_with_all_that_the_address_has(
    client: AsyncClient,
) -> None:
    allowed = {
        "/account/tokens": "GET, HEAD, POST",
        "/healthz": "GET, HEAD",
        "/static/app.css": "GET, HEAD",
        "/sign-out": "POST",
    }
    for path, methods in allowed.items():
        answer = await client.request("PROPFIND", path, headers={"Origin": ORIGIN})
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_a_page_that_is_asked_for_its_headers_only(client: AsyncClient) -> None:
    answer = await client.head("/sign-in")
    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["content-security-policy"]
    assert (await client.head("/nowhere")).status_code == 404


async def test_a_body_that_is_too_large(hana: AsyncClient) -> None:
    answer = await hana.post("/account/tokens", data={"name": "x" * 2_000_000})
    assert answer.status_code == 413
    assert "That was too large." in answer.text


async def test_a_forged_form(hana: AsyncClient) -> None:
    token = {"name": "Forged", "scope": "write", "days": "7"}
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await hana.post("/account/tokens", data=token, headers=headers)
    assert answer.status_code == 403
    assert trace_id_shown(answer)
    assert "Forged" not in (await hana.get("/account/tokens")).text


async def test_the_page_knows_who_is_signed_in(hana: AsyncClient) -> None:
    page = await hana.get("/nowhere")
    assert 'aria-label="Account menu of Hana"' in page.text
    assert "/logs/traces/" not in page.text, "only administrators can open it"


async def test_a_service_that_comes_back_says_when_to_ask_again(
    client: AsyncClient,
) -> None:
    assert (await client.get("/fail/database")).headers["retry-after"] == "5"


async def test_anonymous_on_a_form_comes_back_to_the_page_of_the_form(
    client: AsyncClient,
) -> None:
    headers = {"Referer": f"{ORIGIN}/account?q=a"}
    answer = await client.post("/account/tokens", headers=headers)
    assert answer.headers["location"] == "/sign-in?next=/account%3Fq%3Da"


async def test_a_page_before_that_is_none(client: AsyncClient) -> None:
    headers = {**HTMX, "HX-Current-URL": "http://[::1"}
    answer = await client.get("/account", headers=headers)
    assert answer.headers["hx-redirect"] == "/sign-in?next=/"
