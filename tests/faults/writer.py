"""A process that writes rows, and takes down outside of the log folder which ones have returned.

    python -m tests.faults.writer LOG_DIR LEDGER_FILE [options]

SIGTERM ends it as it ends an app: what waits is delivered, for a while.
"""

import argparse
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.recorder import redact_row
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.lib.tracelog.trace import new_trace_id
from app.lib.tracelog.upkeep.retention import Rules
from tests.faults.ledger import tag_of

_API = TABLES[API_LOGS]


def main(arguments: list[str]) -> None:
    options = _parser().parse_args(arguments)
    ledger = os.open(options.ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    logger = _logger(options)
    for name in ("NOFILE", "FSIZE"):
        if (limit := getattr(options, name.lower())) is not None:
            # A file that grows past its limit is an error, as on a full disk, and not the end.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))
    body = {"text": "x" * options.size}
    for first in range(0, options.rows, options.together):
        numbers = range(first, min(first + options.together, options.rows))
        rows = [
            {"method": "GET", "endpoint": tag_of(options.ledger, number), "request_body": body}
            for number in numbers
        ]
        if len(rows) == 1:
            logger.log(None, API_LOGS, rows[0])
        else:
            redactor = logger.recorder.redactor
            logger.recorder.write_lines(API_LOGS, [_line(redactor, row) for row in rows])
        os.write(ledger, b"".join(b"%d\n" % number for number in numbers))
        time.sleep(options.pause)
        if ended:
            break
    while options.stay and not ended:
        time.sleep(0.05)
    logger.close(options.close)


def _line(redactor: Redactor, data: Mapping[str, object]) -> Callable[[int], bytes]:
    def make_line(row_id: int) -> bytes:
        clean = redact_row(redactor, _API, data)
        row = make_row(_API, clean, row_id=row_id, trace_id=new_trace_id(), now=time.time())
        return codec.encode(_API, row)

    return make_line


def _logger(options: argparse.Namespace) -> CSVOnlyLogger:
    if options.url:
        return EnhancedCSVLogger(
            options.url,
            options.token,
            options.log_dir,
            rules=Rules(folder_bytes=options.folder_bytes),
            segment_bytes=options.segment_bytes,
            fsync=options.fsync,
        )
    return CSVOnlyLogger(options.log_dir, segment_bytes=options.segment_bytes, fsync=options.fsync)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("log_dir", type=Path)
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--together", type=int, default=1, help="rows that are appended at once")
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--pause", type=float, default=0.0005)
    parser.add_argument("--segment-bytes", type=int, default=64 << 20)
    parser.add_argument("--folder-bytes", type=int, default=1 << 30)
    parser.add_argument("--fsync", default="no")
    parser.add_argument("--url", default="", help="deliver there; else the rows stay in the files")
    parser.add_argument("--token", default="")
    parser.add_argument("--stay", action="store_true", help="after the last row wait for SIGTERM")
    parser.add_argument("--close", type=float, default=5.0)
    parser.add_argument("--nofile", type=int)
    parser.add_argument("--fsize", type=int)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
