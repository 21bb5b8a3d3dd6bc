"""The log folder and its store, for the commands."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.shipper.accounting import Account, Accountant
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.store.opening import address_of, name_of
from app.lib.tracelog.store.store import (
    Store,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
    StoreUnavailable,
)
from app.trace_log import make_store
from commands.kit.words import Failure, place


@dataclass(frozen=True, slots=True)
class Place:
    """Where the trace log is, and how a command should speak: as JSON, with progress."""

    settings: Settings
    json: bool
    progress: bool

    @property
    def folder(self) -> Path:
        return self.settings.log_dir

    @property
    def is_local(self) -> bool:
        """Whether the store is a file, which no other log folder delivers to."""
        return self.settings.trace_store_url.startswith("file:")

    @property
    def store_name(self) -> str:
        return make_store(self.settings).name

    @property
    def _address(self) -> str:
        return address_of(self.settings.trace_store_url, self.folder)

    def elsewhere(self) -> dict[str, object]:
        """What `logs_elsewhere` says of rows in stores that were set before; empty without any."""
        others = Checkpoint.load(self.folder).in_others(self._address)
        if not others:
            return {}
        names = ", ".join(name_of(address, self.folder) for address in others)
        rows = f"{sum(others.values()):,}"
        return {"rows": rows, "stores": names, "files": self.folder / "*.csv"}

    def account(self) -> Account:
        """What became of all rows. Raises `OSError` where the CSV files cannot be read."""
        # To the accountant they would seem empty.
        with contextlib.suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                if path.suffix == ".csv" and path.is_file():
                    with contextlib.suppress(FileNotFoundError):
                        path.open("rb").close()
        return Accountant(self.folder, Tally(self.folder), store=self._address).account()

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """The store; what it cannot do is raised as a `Failure`."""
        store = make_store(self.settings)
        try:
            with said_plainly(store.name):
                yield store
        finally:
            with contextlib.suppress(StoreError):
                store.close()


@contextlib.contextmanager
def said_plainly(name: str) -> Iterator[None]:
    """Raise a `Failure` for what the store `name` cannot do."""
    try:
        yield
    except StoreSchemaMissing:
        raise Failure("logs_store_empty", name=name) from None
    except StoreRefused as error:
        raise Failure(
            "logs_store_refuses", name=name, reason=error, place=place("TURSO_URL")
        ) from None
    except StoreUnavailable as error:
        raise Failure(
            "logs_store_silent", name=name, reason=error, place=place("TURSO_URL")
        ) from None
    except StoreError as error:
        raise Failure("logs_store_fails", name=name, reason=error) from None
