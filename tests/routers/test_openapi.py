"""Every operation of the OpenAPI document, asked whatever the document allows and what it does not.

Nothing breaks, and each answer has a status, a type and a form that the document names.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from httpx import AsyncClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.routers.conftest import ORIGIN, Visit, add_item, browser_for

EXAMPLES: Final = 5
"""Of each operation, for what the document allows, and again for what it does not."""

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def cases(document: dict[str, Any]) -> Iterator[Case[Any]]:
    """The same ones each time."""
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok)
        for mode in GenerationMode:
            yield from examples(found.ok().as_strategy(generation_mode=mode))


def examples(strategy: SearchStrategy[Case[Any]]) -> list[Case[Any]]:
    found = list[Case[Any]]()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Case[Any]) -> None:
        found.append(case)

    collect()
    return found


@pytest.fixture
async def callers(app: FastAPI, visit: Visit) -> list[AsyncClient]:
    """A browser, a program that may do all, one that may only read, and nobody."""
    hana = await visit("Hana")
    callers = [hana]
    for scope in ("write", "read"):
        page = await hana.post("/account/tokens", data={"name": scope, "scope": scope, "days": "7"})
        found = re.search(r"pfx_[\w-]+", page.text)
        assert found is not None
        program = browser_for(app)
        program.headers["Authorization"] = f"Bearer {found[0]}"
        callers.append(program)
    return [*callers, browser_for(app)]


async def test_the_api_is_as_its_document_says(app: FastAPI, callers: list[AsyncClient]) -> None:
    item_id = await add_item(callers[0], "Mine")
    wrong, statuses = dict[str, str](), set[int]()
    turn = itertools.cycle(callers)
    for number, case in enumerate(cases((await callers[-1].get("/api/openapi.json")).json())):
        if number % 2 and "item_id" in case.path_parameters:
            case.path_parameters["item_id"] = item_id
        asked = requests.Request(**case.as_transport_kwargs(base_url=ORIGIN)).prepare()
        assert asked.method is not None
        assert asked.url is not None
        body = asked.body or b""
        assert isinstance(body, str | bytes)
        headers = {name: str(value) for name, value in asked.headers.items()}
        answer = await next(turn).request(asked.method, asked.url, headers=headers, content=body)
        statuses.add(answer.status_code)
        assert "Traceback" not in answer.text
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as problem:
            key = f"{asked.method} {case.operation.path} {answer.status_code}"
            wrong[key] = f"{asked.url} {problem.exceptions}"
    assert not wrong
    assert statuses >= {200, 201, 400, 401, 403, 404, 422}, "it got nowhere"
