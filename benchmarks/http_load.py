"""Sends requests over keep-alive connections as fast as they are answered; prints what it counted.

Each request has a body of its own. It ends after `--seconds` or `--requests`, whichever is first.
"""

import argparse
import asyncio
import json
import re
import time
from functools import partial
from typing import Final, cast

from benchmarks.bodies import body

_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_BODIES: Final = 3_000


def request(number: int) -> bytes:
    content = body(number)
    return (
        b"POST /echo?page=2 HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
        b"accept: application/json\r\naccept-language: ja,en;q=0.8\r\n"
        b"sec-fetch-site: same-origin\r\n"
        b"cookie: session=0123456789abcdef; theme=dark\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(content), content)
    )


class Load:
    """What all connections share: what is sent next, and what was counted."""

    def __init__(self, requests: int, seconds: float) -> None:
        self.bytes = [request(number) for number in range(_BODIES)]
        self.left = requests
        self.latencies: list[float] = []
        self.failed = 0
        self.started = time.perf_counter()
        self.deadline = self.started + seconds


class Connection(asyncio.Protocol):
    def __init__(self, load: Load, done: asyncio.Future[None]) -> None:
        self._load = load
        self._done = done
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, content = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or length is None or len(content) < int(length[1]):
            return
        load = self._load
        load.latencies.append(time.perf_counter() - self._sent_at)
        load.failed += not head.startswith(b"HTTP/1.1 200")
        self._received = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._load.failed += 1
            self._done.set_result(None)

    def _next(self) -> None:
        load = self._load
        self._sent_at = time.perf_counter()
        if load.left <= 0 or self._sent_at > load.deadline:
            self._done.set_result(None)
            self._transport.close()
            return
        load.left -= 1
        self._transport.write(load.bytes[load.left % _BODIES])


async def run(port: int, connections: int, requests: int, seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    load = Load(requests, seconds)
    load.started = time.perf_counter()
    load.deadline = load.started + seconds
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(partial(Connection, load, end), "127.0.0.1", port)
    # A server that stops answering must not hold the benchmark up.
    await asyncio.wait(ends, timeout=seconds + 5)
    took = time.perf_counter() - load.started
    ordered = sorted(load.latencies) or [0.0]
    return {
        "requests": len(load.latencies),
        "failed": load.failed,
        "per_second": len(load.latencies) / took,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        runner = asyncio.run
    else:
        runner = uvloop.run
    result = runner(run(options.port, options.connections, options.requests, options.seconds))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
