"""Pictures in a private bucket of Supabase Storage, over its REST API.

What is not there, or refused, is answered with 400 and the real status in the body.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO, Any, Final, TypeVar

import httpx

from app.config import Settings
from app.lib.certificates import certificates
from app.services.pictures.errors import StorageAway

log = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 20.0
"""Of each part of an answer, and of all of it; also after so long nothing is tried again."""

TRIES: Final = 3
PAUSE_SECONDS: Final = 0.5
_MOST_BYTES: Final = 1 << 28
_PAGE: Final = 1000
_KEY: Final = re.compile(r"[0-9a-f]{32}")

T = TypeVar("T")


class SupabaseBucket:
    """Files at `KEY/NAME`. The bucket is made when it is first needed; a public one is refused."""

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = settings.picture_bucket
        key = settings.supabase_secret_key.get_secret_value()
        headers = {"apikey": key}
        if key.startswith("eyJ"):  # a service_role key of the older kind is a token as well
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.Client(
            base_url=f"{settings.supabase_url}/storage/v1",
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            verify=certificates(),
            transport=transport,
        )
        self._clock = clock
        self._is_private = False
        self._looking = threading.Lock()

    def write(self, key: str, name: str, content: IO[bytes], content_type: str) -> None:
        self._require_private()
        headers = {"Content-Type": content_type, "x-upsert": "true", "Cache-Control": "no-store"}
        self._ask("POST", f"/object/{self._bucket}/{key}/{name}", headers, content=content.read())

    def read(self, key: str, name: str) -> bytes:
        path = f"/object/authenticated/{self._bucket}/{key}/{name}"
        answer = self._ask("GET", path, missing_is_fine=True)
        if answer is None:
            raise FileNotFoundError(name)
        return answer.content

    def remove(self, key: str, name: str | None = None) -> None:
        names = [name] if name is not None else [entry["name"] for entry in self._list(key)]
        if names:
            paths = [f"{key}/{each}" for each in names]
            body = {"prefixes": paths}
            self._ask("DELETE", f"/object/{self._bucket}", json=body, missing_is_fine=True)

    def keys(self) -> Iterator[str]:
        # All of them first: pages are counted by place, and the caller deletes.
        names = [entry["name"] for entry in self._list("") if entry["id"] is None]
        return filter(_KEY.fullmatch, names)

    def _list(self, prefix: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            body = {
                "prefix": prefix,
                "limit": _PAGE,
                "offset": len(found),
                "sortBy": {"column": "name", "order": "asc"},
            }
            path = f"/object/list/{self._bucket}"
            answer = self._ask("POST", path, json=body, missing_is_fine=True)
            page = _json(answer, list) if answer is not None else []
            found += page
            if len(page) < _PAGE:
                return found

    def _require_private(self) -> None:
        """See to it, once, that the bucket is there and that nobody else can read it."""
        # Where one waits in vain for an answer, those behind do not begin to wait for theirs.
        if not self._looking.acquire(timeout=TIMEOUT_SECONDS):
            raise StorageAway
        try:
            if not self._is_private:
                self._look_at_bucket()
                self._is_private = True
        finally:
            self._looking.release()

    def _look_at_bucket(self) -> None:
        answer = self._ask("GET", f"/bucket/{self._bucket}", missing_is_fine=True)
        if answer is None:
            body = {"id": self._bucket, "name": self._bucket, "public": False}
            # Another instance may have made it in between: then it is looked at again.
            self._ask("POST", "/bucket", json=body, missing_is_fine=True)
            answer = self._ask("GET", f"/bucket/{self._bucket}")
        public = _json(answer, dict).get("public") if answer is not None else None
        if public is not False:
            if public:
                log.error("The bucket of PICTURE_BUCKET is public; make it private in Supabase.")
            raise StorageAway

    def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        content: bytes | None = None,
        json: Any = None,
        missing_is_fine: bool = False,
    ) -> httpx.Response | None:
        """The answer; None where there is no such thing, or one already, and that is fine."""
        end = self._clock() + TIMEOUT_SECONDS
        for number in range(1, TRIES + 1):
            request = self._http.build_request(
                method, path, headers=headers, content=content, json=json
            )
            try:
                answer = self._answer(request)
            except httpx.RequestError as error:
                problem = type(error).__name__
            else:
                if answer.is_success:
                    return answer
                status = _status(answer)
                if missing_is_fine and status in {404, 409}:
                    return None
                problem = f"{status} {_message(answer)}"
                if status < 500 and status != 429:
                    break
            if self._clock() >= end:
                break
            if number < TRIES:
                time.sleep(PAUSE_SECONDS * number)
        log.error("Supabase Storage did not take %s %s: %s", method, path, problem)
        raise StorageAway(problem)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """All of an answer. Raises `RequestError`, also where it has no end in sight."""
        answer, content, end = self._http.send(request, stream=True), bytearray(), None
        with closing(answer):
            for piece in answer.iter_bytes():
                end = end or self._clock() + TIMEOUT_SECONDS
                content += piece
                if len(content) > _MOST_BYTES or self._clock() >= end:
                    raise httpx.ReadTimeout("no end in sight", request=request)
        return httpx.Response(answer.status_code, content=bytes(content), request=request)


def _json(answer: httpx.Response, kind: type[T]) -> T:
    """What an answer holds, if it is of this type. Raises `StorageAway`."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, kind):
        log.error("What Supabase Storage answers makes no sense.")
        raise StorageAway
    return body


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _status(answer: httpx.Response) -> int:
    """What the answer means, whatever its own status is."""
    inside = str(_body(answer).get("statusCode", ""))
    return int(inside) if inside.isdigit() else answer.status_code


def _message(answer: httpx.Response) -> str:
    return str(_body(answer).get("message", ""))[:200]
