"""Tells a server at an even pace that a request is due: `python -m benchmarks.pace PORT SECONDS`.

A process of its own, since a timer of the event loop that answers is itself late, by up to two
milliseconds. What it sends is the moment of sending, by a clock that all processes share.
"""

import contextlib
import socket
import struct
import sys
import time
from typing import Final

MOMENT: Final = struct.Struct("d")


def main(port: int, every: float) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.perf_counter()
        while True:
            due += every
            time.sleep(max(due - time.perf_counter(), 0.0))
            connection.sendall(MOMENT.pack(time.perf_counter()))


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # nobody answers any more
        main(int(sys.argv[1]), float(sys.argv[2]))
