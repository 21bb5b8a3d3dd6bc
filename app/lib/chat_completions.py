"""Has a text written by any endpoint that speaks OpenAI's chat completions, while one reads along.

What an endpoint says is not to be trusted: it may hang, break off, go on for ever, or answer with
something else. Whatever it does ends in time, in a text or in a `ChatError`.
"""

import asyncio
import email.utils
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypedDict

import httpx
from pydantic import BaseModel, ValidationError

_RANDOM: Final = random.SystemRandom()
# An attempt on a connection that was closed meanwhile would be a lost one.
_NO_REUSE: Final = httpx.Limits(max_keepalive_connections=0)
_LINE_BYTES: Final = 1 << 20
_SAID: Final = 300
_BUSY: Final = frozenset({"408", "429", "500", "502", "503", "504", "529"})
_BUSY_WORDS: Final = ("rate_limit", "overloaded", "server_error", "unavailable", "timeout")
_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")

Code = Literal[
    "away",  # it cannot be reached, or the connection broke before the answer
    "broken",  # the answer broke off
    "busy",  # it has too much to do, or we ask too often
    "cut",  # its own limit ended the answer
    "empty",
    "key",  # it does not take our key
    "late",  # it does not answer in time
    "refused",  # it does not take the request
    "too_long",
    "unreadable",  # what it answers is something else
    "withheld",  # a filter of its own holds the answer back
]


class Message(TypedDict):
    """One part of the prompt."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds, and how often an attempt is made.

    `first` is until the first words of an answer, `pause` between some words and the next, `total`
    for all attempts together. Between attempts a random part of `backoff` is waited, which doubles
    each time up to `longest_backoff`, or as long as the endpoint asks for.
    """

    connect: float = 5.0
    first: float = 45.0
    pause: float = 20.0
    total: float = 120.0
    attempts: int = 4
    backoff: float = 1.0
    longest_backoff: float = 20.0


class ChatError(Exception):
    """There is no answer. The message never holds the key."""

    def __init__(
        self, code: Code, said: str = "", *, again: bool = False, wait: float = 0.0
    ) -> None:
        super().__init__(f"{code}: {said}" if said else code)
        self.code = code
        self.again = again
        """Whether another attempt may do better, after `wait` seconds."""
        self.wait = wait


Watch = Callable[[str], None]
"""Called with all that there is of the answer so far; an attempt that begins anew has nothing."""


class Chat:
    """One model at one endpoint. `sleep` and `share`, a number from 0 to 1, are for tests."""

    def __init__(
        self,
        base_url: str,
        key: str,
        model: str,
        *,
        most_characters: int,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        share: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._key = key
        self._model = model
        self._most = most_characters
        self._patience = patience or Patience()
        self._sleep = sleep
        self._share = share

    async def complete(self, messages: Sequence[Message], watch: Watch) -> str:
        """The answer. Raises `ChatError`."""
        patience = self._patience
        timeout = httpx.Timeout(None, connect=patience.connect)
        try:
            async with (
                asyncio.timeout(patience.total),
                httpx.AsyncClient(
                    timeout=timeout, limits=_NO_REUSE, headers=self._headers()
                ) as client,
            ):
                return await self._patiently(client, messages, watch)
        except TimeoutError:
            raise ChatError("late", f"no answer within {patience.total:g} s") from None

    async def _patiently(
        self, client: httpx.AsyncClient, messages: Sequence[Message], watch: Watch
    ) -> str:
        patience, loop = self._patience, asyncio.get_running_loop()
        end = loop.time() + patience.total
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._once(client, messages, watch)
            except ChatError as error:
                backoff = min(patience.backoff * 2 ** (attempt - 1), patience.longest_backoff)
                wait = max(error.wait, self._share() * backoff)
                if not error.again or attempt == patience.attempts or loop.time() + wait >= end:
                    raise
            watch("")
            await self._sleep(wait)

    async def _once(
        self, client: httpx.AsyncClient, messages: Sequence[Message], watch: Watch
    ) -> str:
        body = {"model": self._model, "messages": list(messages), "stream": True}
        text, reason, loop = "", None, asyncio.get_running_loop()
        try:
            async with (
                asyncio.timeout(self._patience.first) as limit,
                client.stream("POST", self._url, json=body) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise await self._refusal(response)
                async for part in _parts(response.aiter_bytes()):
                    if part.error:
                        raise self._said(200, part)
                    reason = reason or part.reason
                    if part.text:
                        limit.reschedule(loop.time() + self._patience.pause)
                        text += part.text
                        if len(text) > self._most:
                            raise ChatError("too_long", f"more than {self._most} characters")
                        watch(text)
        except TimeoutError:
            raise ChatError("late", "it stopped answering", again=True) from None
        except httpx.RequestError as error:
            # Its message may quote what was sent, so that only its kind is told.
            name = type(error).__name__
            raise ChatError("broken" if text else "away", name, again=True) from None
        return _whole(text, reason)

    def _headers(self) -> dict[str, str]:
        accept = {"Accept": "text/event-stream"}
        return accept | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    async def _refusal(self, response: httpx.Response) -> ChatError:
        """What a status that is not 200 means."""
        status = response.status_code
        if status in {401, 403}:
            # Some quote a part of the key here.
            return ChatError("key", f"status {status}")
        wait = _retry_after(response.headers.get("retry-after", ""))
        try:
            body = await _first_bytes(response.aiter_bytes())
            return self._said(status, _Chunk.model_validate_json(body), wait)
        except (ValidationError, httpx.RequestError):
            return self._said(status, _Chunk(), wait)

    def _said(self, status: int, chunk: "_Chunk", wait: float = 0.0) -> ChatError:
        error = chunk.error if isinstance(chunk.error, _Error) else _Error(message=chunk.error)
        said = " ".join(str(error.message or "").split())
        said = (said.replace(self._key, "***") if self._key else said)[:_SAID]
        kinds = f"{error.code} {error.type} {error.status}".lower()
        if "insufficient_quota" not in kinds and (
            not _BUSY.isdisjoint({str(status), str(error.code)})
            or any(word in kinds for word in _BUSY_WORDS)
        ):
            return ChatError("busy", f"status {status} {said}".strip(), again=True, wait=wait)
        return ChatError("refused", f"status {status} {said}".strip())


class _Error(BaseModel):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    status: str | int | None = None


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta | None = None
    message: _Delta | None = None
    """Instead of `delta`, from an endpoint that does not stream."""
    finish_reason: str | None = None


class _Chunk(BaseModel):
    """What is of interest in one object of an answer."""

    choices: list[_Choice] | None = None
    error: _Error | str | None = None

    @property
    def text(self) -> str:
        choice = self.choices[0] if self.choices else _Choice()
        said = choice.delta or choice.message
        return (said and said.content) or ""

    @property
    def reason(self) -> str | None:
        return self.choices[0].finish_reason if self.choices else None


_END: Final = _Chunk(choices=[_Choice(finish_reason="stop")])


def _whole(text: str, reason: str | None) -> str:
    match reason:
        case None:
            raise ChatError("broken", "it ended without saying so", again=True)
        case "length":
            raise ChatError("cut")
        case "content_filter":
            raise ChatError("withheld")
        case _ if not text.strip():
            raise ChatError("empty")
        case _:
            return text


async def _parts(received: AsyncIterator[bytes]) -> AsyncIterator[_Chunk]:
    """The objects of an answer: events of a stream, or the one object of one that is none."""
    async for line in _lines(received):
        if line.startswith(b"{"):
            yield _chunk(line)
        elif line.startswith(b"data:"):
            data = line.removeprefix(b"data:").strip()
            yield _END if data == b"[DONE]" else _chunk(data)
        elif not line.startswith(_FIELDS):
            raise ChatError("unreadable", "neither events nor JSON")


async def _lines(received: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines with something in them. What is no stream of events is one line in all."""
    rest, is_object = b"", False
    async for piece in received:
        rest += piece
        is_object = is_object or rest.lstrip().startswith((b"{", b"["))
        if not is_object:
            *whole, rest = rest.split(b"\n")
            for line in filter(None, map(bytes.strip, whole)):
                yield line
        if len(rest) > _LINE_BYTES:
            raise ChatError("unreadable", "a line without an end")
    if rest.strip():
        yield rest.strip()


def _chunk(data: bytes) -> _Chunk:
    try:
        return _Chunk.model_validate_json(data)
    except ValidationError:
        raise ChatError("unreadable", "no object of a completion") from None


async def _first_bytes(received: AsyncIterator[bytes]) -> bytes:
    """An error's body, as far as one needs to read it."""
    body = b""
    async for piece in received:
        body += piece
        if len(body) > _LINE_BYTES:
            break
    return body.strip().removeprefix(b"[").removesuffix(b"]")  # Gemini has them in a list


def _retry_after(value: str) -> float:
    """The seconds of a `Retry-After`, which may be a number or a date; 0 where it says nothing."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
