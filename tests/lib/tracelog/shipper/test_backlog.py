"""What waits for its delivery, as it is told."""

import errno
from pathlib import Path
from typing import IO, Any

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.ids import time_of
from app.lib.tracelog.shipper.backlog import measure
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from tests.lib.tracelog.rows import API, api_rows
from tests.lib.tracelog.shipper.desk import Desk


def test_the_backlog_tells_rows_bytes_and_age(desk: Desk) -> None:
    written = api_rows(300)
    desk.write(written[:100], sealed=True)
    desk.write(written[100:])
    born = time_of(int(str(written[0][0])))

    before = measure(desk.folder, Checkpoint.load(desk.folder), now=born + 60)
    desk.deliver()
    after = measure(desk.folder, Checkpoint.load(desk.folder), now=born + 60)

    assert 290 <= before.rows <= 310
    assert before.seconds == pytest.approx(60, abs=0.1)
    assert (after.rows, after.bytes, after.seconds) == (0, 0, 0.0)


def test_a_file_that_cannot_be_read_counts_in_the_backlog(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.write(api_rows(10), sealed=True)
    open_path = Path.open

    def refuse(opened: Path, *args: Any, **options: Any) -> IO[Any]:
        if opened == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(opened))
        file: IO[Any] = open_path(opened, *args, **options)
        return file

    monkeypatch.setattr(Path, "open", refuse)

    backlog = measure(desk.folder, Checkpoint.load(desk.folder))

    assert backlog.bytes == path.stat().st_size - len(codec.header(API))
    assert backlog.rows > 0


def test_a_journal_of_headers_only_has_no_backlog(desk: Desk) -> None:
    desk.active.write_bytes(codec.header(API))

    assert measure(desk.folder, Checkpoint(desk.folder)).bytes == 0
