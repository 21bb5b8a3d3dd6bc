"""After an error the connection goes on."""

import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.answered_errors import AnsweredErrors

pytestmark = pytest.mark.anyio

SCOPE: Scope = {"type": "http"}
START: Message = {"type": "http.response.start", "status": 500, "headers": []}


def failing_after(*messages: Message) -> AnsweredErrors:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        raise LookupError

    return AnsweredErrors(app)


async def nothing() -> Message:
    raise AssertionError


async def test_an_answered_one_is_told_and_goes_no_further(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    end: Message = {"type": "http.response.body", "body": b"sorry"}
    await failing_after(START, end)(SCOPE, nothing, send)

    assert sent == [START, end]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.exc_info[0] is LookupError


@pytest.mark.parametrize(
    "messages", [(), (START,), (START, {"type": "http.response.body", "more_body": True})]
)
async def test_one_in_the_middle_breaks_the_response_off(messages: tuple[Message, ...]) -> None:
    async def send(_message: Message) -> None:
        pass

    with pytest.raises(LookupError):
        await failing_after(*messages)(SCOPE, nothing, send)
