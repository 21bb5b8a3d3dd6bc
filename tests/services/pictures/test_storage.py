"""The files of pictures, on disk and in Supabase Storage: the same promises."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import create_task_group, to_thread
from pydantic import SecretStr

from app.config import Settings
from app.lib.utils import utc_now
from app.models.picture import key_time, new_key
from app.services.pictures import supabase_bucket
from app.services.pictures.errors import StorageAway
from app.services.pictures.storage import (
    PictureFolder,
    PictureStorage,
    in_thread,
    picture_storage,
)
from app.services.pictures.supabase_bucket import SupabaseBucket
from tests.support.gotrue import PUBLISHABLE, SECRET
from tests.support.supabase_storage import SupabaseStorage, bucket

ONE, TWO = "0" * 31 + "1", "0" * 31 + "2"


@pytest.fixture
def server() -> SupabaseStorage:
    return SupabaseStorage()


@pytest.fixture(params=["disk", "supabase"])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, server: SupabaseStorage
) -> PictureStorage:
    return PictureFolder(tmp_path / "p") if request.param == "disk" else bucket(server)


class Pieces(httpx.SyncByteStream):
    """An answer's body as it comes in."""

    def __init__(self, *pieces: bytes, before: Callable[[], None] = lambda: None) -> None:
        self._pieces = pieces
        self._before = before

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._before()
            yield piece


def bucket_at(answer: Callable[[httpx.Request], httpx.Response], **more: Any) -> SupabaseBucket:
    """The app's way to a bucket on a server that answers so."""
    settings = Settings(
        supabase_url="https://x.supabase.co",
        supabase_secret_key=SecretStr("eyJ.old.key"),
        picture_bucket="pictures",
    )
    return SupabaseBucket(settings, transport=httpx.MockTransport(answer), **more)


def write(storage: PictureStorage, key: str, name: str, content: bytes = b"x") -> None:
    storage.write(key, name, io.BytesIO(content), "image/webp")


def test_what_is_written_is_read(storage: PictureStorage) -> None:
    write(storage, ONE, "thumb.webp", b"first")
    write(storage, ONE, "thumb.webp", b"\x00second")
    assert storage.read(ONE, "thumb.webp") == b"\x00second"


@pytest.mark.parametrize("name", ["thumb.jpg", "thumb.webp"])
def test_what_is_not_there_is_told_apart(storage: PictureStorage, name: str) -> None:
    write(storage, TWO, "thumb.webp")
    with pytest.raises(FileNotFoundError):
        storage.read(ONE, name)


def test_a_file_goes_alone_and_a_picture_as_a_whole(storage: PictureStorage) -> None:
    for key in (ONE, TWO):
        write(storage, key, "original")
        write(storage, key, "thumb.webp")
    storage.remove(ONE, "original")
    storage.remove(TWO)
    assert list(storage.keys()) == [ONE]
    assert storage.read(ONE, "thumb.webp") == b"x"
    for name in (None, "original"):
        storage.remove(TWO, name)  # nothing is there, and nothing is wrong
    storage.remove(ONE)
    assert list(storage.keys()) == []


def test_an_empty_storage_has_no_keys(storage: PictureStorage) -> None:
    assert list(storage.keys()) == []


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a file where the folder should be")
    with pytest.raises(StorageAway):
        write(PictureFolder(tmp_path / "p"), ONE, "original")


def test_no_half_file_is_ever_under_its_name(tmp_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the line is cut")

    storage = PictureFolder(tmp_path)
    with pytest.raises(StorageAway):
        storage.write(ONE, "original", Breaks(), "image/png")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_bucket_is_made_private(server: SupabaseStorage) -> None:
    write(bucket(server), ONE, "original")
    assert server.buckets == {"pictures": False}
    assert server.objects == {f"pictures/{ONE}/original": (b"x", "image/webp")}


def test_a_public_bucket_gets_nothing(server: SupabaseStorage) -> None:
    server.buckets["pictures"] = True
    with pytest.raises(StorageAway):
        write(bucket(server), ONE, "original")
    assert server.objects == {}


def test_a_key_without_rights_is_told(server: SupabaseStorage) -> None:
    with pytest.raises(StorageAway, match="401"):
        write(bucket(server, PUBLISHABLE), ONE, "original")


def test_an_older_key_is_a_token_too() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization", ""))
        return httpx.Response(200, json=[])

    list(bucket_at(answer).keys())
    assert seen == ["Bearer eyJ.old.key"]


def test_a_short_failure_is_passed_over_and_a_long_one_told(
    server: SupabaseStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supabase_bucket, "PAUSE_SECONDS", 0.0)
    storage = bucket(server)
    write(storage, ONE, "original")
    server.broken = supabase_bucket.TRIES - 1
    assert storage.read(ONE, "original") == b"x"
    server.broken = supabase_bucket.TRIES
    with pytest.raises(StorageAway):
        storage.read(ONE, "original")


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {"text": "<html>Please sign in to the Wi-Fi</html>"}),
        (200, {"text": '{"id": "pictures", "publ'}),
        (200, {"json": ["of another kind"]}),
        (200, {"json": {"id": "pictures"}}),
        (200, {"headers": {"Content-Encoding": "gzip"}, "stream": Pieces(b"no gzip")}),
        (403, {"text": "<html>"}),
        (302, {"headers": {"Location": "https://elsewhere.example"}}),
    ],
    ids=["html", "cut", "list", "says nothing", "no gzip", "403", "elsewhere"],
)
def test_an_answer_that_makes_no_sense_is_told(
    monkeypatch: pytest.MonkeyPatch, status: int, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(supabase_bucket, "PAUSE_SECONDS", 0.0)
    storage = bucket_at(lambda _: httpx.Response(status, **answer))

    with pytest.raises(StorageAway):
        write(storage, ONE, "original")


async def test_a_storage_that_hangs_leaves_threads_to_others() -> None:
    goes_on = threading.Event()
    async with create_task_group() as waiting:
        for _ in range(50):
            waiting.start_soon(in_thread, goes_on.wait)
        assert await to_thread.run_sync(str, "free") == "free"
        goes_on.set()


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "drips"])
def test_an_answer_that_does_not_come_is_waited_for_once(hangs: bool) -> None:
    now, asked = 0.0, 0

    def later(seconds: float) -> None:
        nonlocal now
        now += seconds

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if hangs:
            later(supabase_bucket.TIMEOUT_SECONDS)
            raise httpx.ReadTimeout("", request=request)
        return httpx.Response(200, stream=Pieces(*[b"x"] * 1000, before=lambda: later(5.0)))

    storage = bucket_at(answer, clock=lambda: now)

    with pytest.raises(StorageAway):
        storage.read(ONE, "original")
    assert (asked, now) == (1, supabase_bucket.TIMEOUT_SECONDS + (0 if hangs else 5))


def test_many_keys_come_in_pages(server: SupabaseStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supabase_bucket, "_PAGE", 2)
    storage = bucket(server)
    keys = [f"{number:032x}" for number in range(5)]
    for key in keys:
        write(storage, key, "original")
    server.objects["pictures/.emptyFolderPlaceholder"] = (b"", "")
    server.objects["pictures/somebody else's/file"] = (b"", "")
    assert list(storage.keys()) == keys


def test_a_key_tells_its_time() -> None:
    now = utc_now()
    key = new_key(now)
    assert len(key) == 32
    assert abs(key_time(key) - now.timestamp()) < 0.01
    assert key != new_key(now)


def test_the_settings_name_the_storage(tmp_path: Path) -> None:
    assert isinstance(picture_storage(Settings(picture_dir=tmp_path)), PictureFolder)
    settings = Settings(
        supabase_url="https://x.supabase.co",
        supabase_secret_key=SecretStr(SECRET),
        picture_bucket="pictures",
    )
    assert isinstance(picture_storage(settings), SupabaseBucket)
    assert SECRET not in repr(settings)
