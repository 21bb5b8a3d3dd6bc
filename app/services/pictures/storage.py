"""Where the files of pictures are: a folder on disk, or a bucket of Supabase Storage."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Final, ParamSpec, Protocol, TypeVar

from anyio import CapacityLimiter, to_thread

from app.config import Settings
from app.services.pictures.errors import StorageAway
from app.services.pictures.supabase_bucket import SupabaseBucket

ORIGINAL: Final = "original"
"""The file as it was uploaded. It is never given out, and goes when the picture is ready."""


_WAITING: Final = CapacityLimiter(16)
"""So many threads may wait for a storage, so that one that hangs leaves the others to the app."""

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a storage's call gives, without waiting in the event loop."""
    return await to_thread.run_sync(partial(call, *args, **kwargs), limiter=_WAITING)


class PictureStorage(Protocol):
    """Files by a picture's key and a name of the app's own. Calls block; all raise `StorageAway`.

    Writing replaces what is there, whole or not at all; removing what is not there is no error.
    """

    def write(self, key: str, name: str, content: IO[bytes], content_type: str) -> None: ...

    def read(self, key: str, name: str) -> bytes:
        """Raises `FileNotFoundError` too."""
        ...

    def remove(self, key: str, name: str | None = None) -> None:
        """One file of a picture, or all of them."""
        ...

    def keys(self) -> Iterator[str]:
        """Of all pictures that have files, in no order."""
        ...


class PictureFolder:
    """Pictures on disk: `FOLDER/xx/KEY/NAME`, where `xx` are the key's last two digits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, key: str, name: str, content: IO[bytes], _content_type: str) -> None:
        place = self._place(key)
        unfinished = place / f".{secrets.token_hex(8)}"
        try:
            place.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                shutil.copyfileobj(content, file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(place / name)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise StorageAway from error

    def read(self, key: str, name: str) -> bytes:
        try:
            return (self._place(key) / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(name) from None
        except OSError as error:
            raise StorageAway from error

    def remove(self, key: str, name: str | None = None) -> None:
        place = self._place(key)
        try:
            if name is not None:
                (place / name).unlink(missing_ok=True)
            elif place.is_dir():
                shutil.rmtree(place)
        except OSError as error:
            raise StorageAway from error

    def keys(self) -> Iterator[str]:
        try:
            for group in self.folder.iterdir() if self.folder.is_dir() else ():
                if len(group.name) == 2 and group.is_dir():
                    yield from (place.name for place in group.iterdir())
        except OSError as error:
            raise StorageAway from error

    def _place(self, key: str) -> Path:
        return self.folder / key[-2:] / key


@lru_cache(maxsize=4)
def picture_storage(settings: Settings) -> PictureStorage:
    """The storage that the settings name; its connections are shared by all who ask."""
    if settings.picture_bucket:
        return SupabaseBucket(settings)
    return PictureFolder(settings.picture_dir)
