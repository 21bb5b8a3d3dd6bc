"""A process that delivers and writes nothing, quick to try again.

python -m tests.faults.deliverer LOG_DIR URL [options]
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from app.lib.tracelog.bell import Bell
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store import insertion
from app.lib.tracelog.store.opening import open_store
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, Store
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.retention import Rules


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    if options.die_after:
        _die_after(options.die_after)
    shipper = Shipper(
        options.log_dir,
        lambda: _open_store(options),
        batch_rows=options.batch_rows,
        idle_seconds=0.05,
        gather_seconds=0.01,
        retry_seconds=0.2,
        refused_seconds=0.4,
        housekeeper=Housekeeper(
            options.log_dir,
            Rules(folder_bytes=options.folder_bytes),
            Accountant(options.log_dir, Tally(options.log_dir)),
        ),
    )
    ended = Bell()
    signal.signal(signal.SIGTERM, lambda *_: ended.ring())
    shipper.start()
    sys.stdout.write("tries\n")
    sys.stdout.flush()
    if options.fork:
        _wait_until_it_leads(shipper)
        if os.fork() == 0:
            time.sleep(6)
            os._exit(0)
    # Another thread may take the signal, and does not wake this one.
    while not ended.wait(0.2):
        pass
    shipper.drain(5.0)
    shipper.stop(1.0)


def _open_store(options: argparse.Namespace) -> Store:
    if options.url.startswith("file:"):
        return open_store(options.url, options.token)
    return TursoStore(options.url, options.token, seconds=options.seconds)


def _wait_until_it_leads(shipper: Shipper) -> None:
    while not shipper.status().leader:
        time.sleep(0.01)


def _die_after(batches: int) -> None:
    """Be killed when the store has taken so many batches, before anybody here knows."""
    left = [batches]

    def insert(writer: insertion.RowWriter, batch: Batch) -> Inserted:
        inserted = insertion.insert(writer, batch)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return inserted

    for store in (SQLiteStore, TursoStore):
        store.insert = insert  # type: ignore[method-assign,assignment]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("log_dir", type=Path)
    parser.add_argument("url")
    parser.add_argument("--token", default="")
    parser.add_argument("--seconds", type=float, default=2.0, help="the most that a call may take")
    parser.add_argument("--folder-bytes", type=int, default=1 << 30)
    parser.add_argument("--batch-rows", type=int, default=500)
    parser.add_argument("--die-after", type=int, default=0, metavar="BATCHES")
    parser.add_argument("--fork", action="store_true", help="leave a child that outlives it")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
