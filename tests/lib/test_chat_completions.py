"""A text from an endpoint that does what it should, and from one that does anything else."""

import asyncio
import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

import pytest

from app.lib.chat_answers import ChatError
from app.lib.chat_completions import Chat, Message, Patience, estimated_tokens
from tests.support import chat_server as chat
from tests.support.faulty_server import (
    Exchange,
    Fault,
    FaultyServer,
    answers,
    hangs_up,
    is_silent,
    never_ends,
)

KEY = "sk-a-key-that-nobody-may-see"
PROMPT: list[Message] = [{"role": "user", "content": "お茶"}]
FINE = chat.streams("Buy ", "tea.")
HTML = answers(200, b"<html>Sign in to the proxy</html>", b"Content-Type: text/html")


class Sleeper:
    """Sleeps at once, and remembers for how long it should have been."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


class Ask(Protocol):
    """`await ask(fault)`: the answer of an endpoint that treats requests so."""

    async def __call__(self, fault: Fault, patience: Patience | None = None) -> str: ...


@pytest.fixture
def heard() -> list[str]:
    """What was to be read of the answer, each time that something came."""
    return []


@pytest.fixture
def ask(faulty_server: FaultyServer, sleeper: Sleeper, heard: list[str]) -> Ask:
    async def ask(fault: Fault, patience: Patience | None = None) -> str:
        faulty_server.fault = fault
        client = Chat(
            f"{faulty_server.url}/v1/",
            KEY,
            "a-model",
            most_characters=100,
            patience=patience or Patience(attempts=3),
            sleep=sleeper,
            share=lambda: 0.5,
        )
        return await client.complete(PROMPT, heard.append)

    return ask


async def test_an_answer_is_read_while_it_is_written(ask: Ask, heard: list[str]) -> None:
    seen: list[bytes] = []

    def remember(exchange: Exchange) -> None:
        seen.append(exchange.request)
        chat.streams("Buy ", "tea", ".")(exchange)

    assert await ask(remember) == "Buy tea."
    assert heard == ["Buy ", "Buy tea", "Buy tea."]
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1")
    assert re.search(rb"(?i)authorization: bearer sk-a-key", head)
    assert json.loads(body) == {
        "model": "a-model",
        "messages": PROMPT,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_an_endpoint_that_does_not_stream_is_understood(ask: Ask) -> None:
    whole = {"choices": [{"message": {"content": "Tea."}, "finish_reason": "stop"}]}
    assert await ask(answers(200, json.dumps(whole, indent=2).encode())) == "Tea."


@pytest.mark.parametrize(
    ("fault", "code", "attempts"),
    [
        (is_silent, "late", 3),
        (chat.hangs(), "late", 3),
        (chat.hangs(chat.piece("Buy ")), "late", 3),
        (chat.goes_on_for_ever(b": keep-alive\n\n"), "late", 3),
        (hangs_up, "away", 3),
        (chat.sends(chat.piece("Buy ")), "broken", 3),
        (chat.refuses(429, "slow down"), "busy", 3),
        (chat.refuses(500, "sorry"), "busy", 3),
        (chat.refuses(503, "sorry"), "busy", 3),
        (chat.sends(chat.event({"error": {"message": "x", "code": 529}})), "busy", 3),
        (chat.refuses(200, "x", type="server_error"), "busy", 3),
        (chat.refuses(429, "no money", code="insufficient_quota"), "refused", 1),
        (chat.refuses(200, "no such model"), "refused", 1),
        (chat.refuses(404, "no such model"), "refused", 1),
        (answers(302, b"", b"Location: /elsewhere"), "refused", 1),
        (chat.refuses(401, f"Incorrect API key: {KEY}"), "key", 1),
        (answers(403, b"\xff\xfe"), "key", 1),
        (HTML, "unreadable", 1),
        (chat.sends(b"data: {]\n\n"), "unreadable", 1),
        (chat.sends(chat.event([1, 2])), "unreadable", 1),
        (chat.sends(chat.event({"choices": [{"delta": {"content": 5}}]})), "unreadable", 1),
        (never_ends, "unreadable", 1),
        (chat.goes_on_for_ever(chat.piece("more ")), "too_long", 1),
        (chat.streams("Buy", reason="length"), "cut", 1),
        (chat.streams("Buy", reason="content_filter"), "withheld", 1),
        (chat.streams(" \n"), "empty", 1),
    ],
)
async def test_whatever_goes_wrong_has_a_name(
    ask: Ask, faulty_server: FaultyServer, fault: Fault, code: str, attempts: int
) -> None:
    short = Patience(first=0.2, pause=0.2, attempts=3)
    with pytest.raises(ChatError) as caught:
        await ask(fault, short if code == "late" else None)
    assert caught.value.code == code
    assert KEY not in str(caught.value)
    assert faulty_server.requests == attempts


async def test_it_tries_again_after_a_while_that_grows(
    ask: Ask, sleeper: Sleeper, heard: list[str]
) -> None:
    broken = chat.sends(chat.piece("Buy cof"))
    assert await ask(chat.in_turn(chat.refuses(503, ""), broken, FINE)) == "Buy tea."
    assert sleeper.slept == [0.5, 1.0]
    assert heard == ["", "Buy cof", "", "Buy ", "Buy tea."]


async def test_it_waits_as_long_as_it_is_asked_to(ask: Ask, sleeper: Sleeper) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    later = chat.refuses(429, "", f"Retry-After: {moment}".encode())
    assert await ask(chat.in_turn(chat.refuses(429, "", b"Retry-After: 7"), later, FINE))
    assert sleeper.slept[0] == 7
    assert 20 < sleeper.slept[1] <= 30


async def test_it_does_not_wait_for_longer_than_anybody_would(
    ask: Ask, sleeper: Sleeper, faulty_server: FaultyServer
) -> None:
    no_year = b"Mon, 01 Jan 99999999999 00:00:00 GMT"
    for wanted in (b"3600", b"inf", b"nan", b"soon", no_year):
        with pytest.raises(ChatError, match="busy"):
            await ask(chat.refuses(429, "", b"Retry-After: " + wanted))
    assert max(sleeper.slept) <= 1.0


async def test_what_it_says_is_told_without_the_key(ask: Ask) -> None:
    with pytest.raises(ChatError, match=r"^refused: status 400 bad \*\*\*, try x+$") as caught:
        await ask(chat.refuses(400, f"bad\n {KEY}, try {'x' * 1000}"))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("faults", "cost"),
    [
        ([chat.streams("Buy ", "tea.", tokens=70)], 70),
        ([chat.streams("Buy ", "tea.", tokens="many")], 4),  # as estimated: 2 asked, 2 said
        ([chat.sends(chat.piece("お茶です")), chat.streams("Tea", tokens=70)], 76),
        ([chat.refuses(400, "stream_options is not known"), chat.streams("Tea", tokens=9)], 9),
        ([chat.refuses(401, "no")], 0),
    ],
    ids=["said", "not said", "broken off first", "cannot say", "refused"],
)
async def test_what_it_costs(faulty_server: FaultyServer, faults: list[Fault], cost: int) -> None:
    seen: list[bytes] = []
    answer = chat.in_turn(*faults)

    def fault(exchange: Exchange) -> None:
        seen.append(exchange.request)
        answer(exchange)

    faulty_server.fault = fault
    patience = Patience(attempts=2, backoff=0)
    client = Chat(faulty_server.url, "", "m", most_characters=99, patience=patience)
    with suppress(ChatError):
        await client.complete(PROMPT, lambda _: None)
    assert client.tokens == cost
    assert b"include_usage" in seen[0]


def test_tokens_are_estimated_by_characters() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "word", "words", "お茶", "お茶 tea")] == [
        *(0, 1, 1, 2, 2, 3)
    ]


async def test_all_attempts_together_have_an_end(faulty_server: FaultyServer) -> None:
    faulty_server.fault = chat.goes_on_for_ever(b": keep-alive\n\n")
    client = Chat(
        faulty_server.url, "", "m", most_characters=9, patience=Patience(first=9, total=0.2)
    )
    with pytest.raises(ChatError, match="late"):
        await client.complete(PROMPT, lambda _: None)


async def test_nobody_at_home_and_a_reader_who_leaves(faulty_server: FaultyServer) -> None:
    faulty_server.fault = chat.hangs(chat.piece("Buy "))
    client = Chat(faulty_server.url, "", "m", most_characters=9)
    begun = asyncio.Event()
    task = asyncio.create_task(client.complete(PROMPT, lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    nobody = Chat("http://127.0.0.1:9", "", "m", most_characters=9, patience=Patience(attempts=1))
    with pytest.raises(ChatError, match="away: ConnectError"):
        await nobody.complete(PROMPT, lambda _: None)
