"""What an endpoint for chat completions answers, piece by piece, and what may be wrong with it."""

from collections.abc import AsyncIterator
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

_LINE_BYTES: Final = 1 << 20
_MOST_TOKENS: Final = 10**9
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


class Error(BaseModel):
    """What went wrong, as far as it is said."""

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


class Chunk(BaseModel):
    """What is of interest in one object of an answer."""

    choices: list[_Choice] | None = None
    error: Error | str | None = None
    usage: object = None

    @property
    def text(self) -> str:
        choice = self.choices[0] if self.choices else _Choice()
        said = choice.delta or choice.message
        return (said and said.content) or ""

    @property
    def reason(self) -> str | None:
        return self.choices[0].finish_reason if self.choices else None

    @property
    def tokens(self) -> int:
        """What prompt and answer cost, where the endpoint tells; else 0."""
        total = self.usage.get("total_tokens") if isinstance(self.usage, dict) else None
        return total if type(total) is int and 0 < total < _MOST_TOKENS else 0


_END: Final = Chunk(choices=[_Choice(finish_reason="stop")])


def whole(text: str, reason: str | None) -> str:
    """`text` if that is all of the answer. Raises `ChatError`."""
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


async def parts(received: AsyncIterator[bytes]) -> AsyncIterator[Chunk]:
    """Read the objects of an answer: events of a stream, or the one object of one that is none."""
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


def _chunk(data: bytes) -> Chunk:
    try:
        return Chunk.model_validate_json(data)
    except ValidationError:
        raise ChatError("unreadable", "no object of a completion") from None


async def first_bytes(received: AsyncIterator[bytes]) -> bytes:
    """Read an error's body, as far as one needs to read it."""
    body = b""
    async for piece in received:
        body += piece
        if len(body) > _LINE_BYTES:
            break
    return body.strip().removeprefix(b"[").removesuffix(b"]")  # Gemini has them in a list
