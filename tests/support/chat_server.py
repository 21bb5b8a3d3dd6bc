"""What an endpoint for chat completions may answer, well and badly, as faults of `FaultyServer`."""

import json
from itertools import chain, repeat
from threading import Event
from typing import Any

from tests.support.faulty_server import Exchange, Fault, answers

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def event(data: object) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def piece(text: str, reason: str | None = None) -> bytes:
    """One event of an answer."""
    return event({"choices": [{"delta": {"content": text}, "finish_reason": reason}]})


def streams(
    *texts: str, reason: str = "stop", before_the_last: Event | None = None, tokens: object = None
) -> Fault:
    """A good answer in these pieces; the last one comes once `before_the_last` is set.

    `tokens` is what it says that all has cost.
    """

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(_HEAD + b": keep-alive\n\n" + event({"choices": []}))
        for number, text in enumerate(texts):
            if before_the_last and number == len(texts) - 1:
                _wait(exchange, before_the_last)
            exchange.client.sendall(piece(text))
        exchange.client.sendall(
            piece("", reason) + event({"usage": {"total_tokens": tokens}}) + event(b"[DONE]")
        )

    return fault


def sends(*events: bytes) -> Fault:
    """These bytes, and then the connection is closed."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(_HEAD + b"".join(events))

    return fault


def hangs(*events: bytes) -> Fault:
    """These bytes, and then nothing more."""

    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(_HEAD + b"".join(events))
        exchange.closing.wait()

    return fault


def goes_on_for_ever(data: bytes) -> Fault:
    def fault(exchange: Exchange) -> None:
        exchange.client.sendall(_HEAD)
        while not exchange.closing.wait(0.001):
            exchange.client.sendall(data)

    return fault


def refuses(status: int, message: str, *headers: bytes, **error: Any) -> Fault:
    """An error as OpenAI has them."""
    body = json.dumps({"error": {"message": message} | error}).encode()
    return answers(status, body, *headers)


def in_turn(*faults: Fault) -> Fault:
    """One fault a request, the last one for all that follow."""
    queue = chain(faults, repeat(faults[-1]))

    def fault(exchange: Exchange) -> None:
        next(queue)(exchange)

    return fault


def _wait(exchange: Exchange, event: Event) -> None:
    while not event.wait(0.02) and not exchange.closing.is_set():
        pass
