"""Has a text written by any endpoint that speaks OpenAI's chat completions, while one reads along.

What an endpoint says is not to be trusted: it may hang, break off, go on for ever, or answer with
something else. Whatever it does ends in time, in a text or in a `ChatError`.
"""

import asyncio
import email.utils
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypedDict

import httpx
from pydantic import ValidationError

from app.lib.certificates import certificates
from app.lib.chat_answers import ChatError, Chunk, Error, first_bytes, parts, whole

_RANDOM: Final = random.SystemRandom()
# An attempt on a connection that was closed meanwhile would be a lost one.
_NO_REUSE: Final = httpx.Limits(max_keepalive_connections=0)
_SAID: Final = 300
_BUSY: Final = frozenset({"408", "429", "500", "502", "503", "504", "529"})
_BUSY_WORDS: Final = ("rate_limit", "overloaded", "server_error", "unavailable", "timeout")


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


Watch = Callable[[str], None]
"""Called with all that there is of the answer so far; an attempt that begins anew has nothing."""


def estimated_tokens(text: str) -> int:
    """About what a text costs: a character of Japanese is a token or less, four of English one."""
    ascii_only = len(text.encode("ascii", "ignore"))
    return len(text) - ascii_only + (ascii_only + 3) // 4


def estimate(messages: Sequence[Message]) -> int:
    """About what a prompt costs."""
    return sum(estimated_tokens(message["content"]) for message in messages)


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
        self._asks_for_usage = True
        self.tokens = 0
        """What all that was asked has cost: as the endpoint says, else estimated."""

    async def complete(self, messages: Sequence[Message], watch: Watch) -> str:
        """The answer. Raises `ChatError`."""
        patience = self._patience
        timeout = httpx.Timeout(None, connect=patience.connect)
        try:
            async with (
                asyncio.timeout(patience.total),
                httpx.AsyncClient(
                    timeout=timeout,
                    limits=_NO_REUSE,
                    headers=self._headers(),
                    verify=certificates(),
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
                if (
                    self._asks_for_usage
                    and error.code == "refused"
                    and "stream_options" in str(error)
                ):
                    self._asks_for_usage = False  # not all know it
                    continue
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
        if self._asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        text, reason, loop = "", None, asyncio.get_running_loop()
        is_answered, tokens = False, 0
        try:
            async with (
                asyncio.timeout(self._patience.first) as limit,
                client.stream("POST", self._url, json=body) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise await self._refusal(response)
                is_answered = True
                async for part in parts(response.aiter_bytes()):
                    if part.error:
                        raise self._said(200, part)
                    reason = reason or part.reason
                    tokens = tokens or part.tokens
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
        finally:
            if is_answered:
                self.tokens += tokens or estimate(messages) + estimated_tokens(text)
        return whole(text, reason)

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
            body = await first_bytes(response.aiter_bytes())
            return self._said(status, Chunk.model_validate_json(body), wait)
        except (ValidationError, httpx.RequestError):
            return self._said(status, Chunk(), wait)

    def _said(self, status: int, chunk: "Chunk", wait: float = 0.0) -> ChatError:
        error = chunk.error if isinstance(chunk.error, Error) else Error(message=chunk.error)
        said = " ".join(str(error.message or "").split())
        said = (said.replace(self._key, "***") if self._key else said)[:_SAID]
        kinds = f"{error.code} {error.type} {error.status}".lower()
        if "insufficient_quota" not in kinds and (
            not _BUSY.isdisjoint({str(status), str(error.code)})
            or any(word in kinds for word in _BUSY_WORDS)
        ):
            return ChatError("busy", f"status {status} {said}".strip(), again=True, wait=wait)
        return ChatError("refused", f"status {status} {said}".strip())


def _retry_after(value: str) -> float:
    """The seconds of a `Retry-After`, which may be a number or a date; 0 where it says nothing."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
