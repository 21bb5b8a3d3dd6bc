"""What recording a request costs: CPU time added to a JSON route of about 1 KB in and 1 KB out.

The same app is called in process by turns: bare, recorded, and observed by two others for
comparison (OpenTelemetry's default instrumentation, whose spans are dropped, and fastapi-radar).
There is no server around it, so that nothing but the recording differs. The limit is what only
writes both bodies to a file, as they are; it has its turns afterwards, with bare, since in between
it made the recorded app 20 µs slower. No two requests of a round have the same body, so that
remembering bodies would not help. Bare, limit and recorded are called with sixteen requests at
once, too, as a server has them under load: then rows are written together. Times are CPU time of
the whole process, background threads too, in microseconds a request, the best of `--rounds` rounds
each. Delivery has all its rows in the store before the next one's turn.

The second table has 1, 2 and 4 processes record at once in one folder, each with sixteen requests
at once: the mean of their times, the best of the rounds, with what they answer together.
"""

import asyncio
import gc
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.shipper.shipper import Shipper
from benchmarks.bodies import body
from benchmarks.crew import ready, together
from benchmarks.least import LeastRecorder
from benchmarks.sample import bare_app
from commands.kit.arguments import Arguments
from commands.kit.memory import OBJECTS_A_COLLECTION

ASGIApp = Callable[..., Awaitable[None]]

BARE: Final = "bare"
LIMIT: Final = "both bodies written as they are"
CSV: Final = "recorded in CSV"
DELIVERED: Final = "recorded and delivered to SQLite"
OPENTELEMETRY: Final = "OpenTelemetry, default"
RADAR: Final = "fastapi-radar"
MANY: Final = 16
AT_ONCE: Final = f", {MANY} at once"


def headers(length: int) -> list[tuple[bytes, bytes]]:
    return [
        (b"host", b"127.0.0.1:8000"),
        (b"content-type", b"application/json"),
        (b"content-length", str(length).encode()),
        (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        (b"accept", b"application/json"),
        (b"accept-language", b"ja,en;q=0.8"),
        (b"cookie", b"session=0123456789abcdef; theme=dark"),
    ]


async def call(app: ASGIApp, content: bytes) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/echo",
        "raw_path": b"/echo",
        "root_path": "",
        "scheme": "http",
        "query_string": b"page=2",
        "headers": headers(len(content)),
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }

    incoming = [{"type": "http.request", "body": content, "more_body": False}]
    answered = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if incoming:
            return incoming.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    await app(scope, receive, send)


async def cpu_of(
    app: ASGIApp, bodies: Sequence[bytes], at_once: int = 1, delivering: Shipper | None = None
) -> float:
    started = time.process_time()
    if at_once == 1:
        for content in bodies:
            await call(app, content)
    else:
        for first in range(0, len(bodies), at_once):
            group = bodies[first : first + at_once]
            await asyncio.gather(*(call(app, content) for content in group))
    if delivering and not await asyncio.to_thread(delivering.drain, 60.0):
        raise SystemExit("The rows were not delivered within a minute.")
    return (time.process_time() - started) / len(bodies) * 1e6


@contextmanager
def recorded(logger: CSVOnlyLogger) -> Iterator[ASGIApp]:
    yield CaptureMiddleware(bare_app(), logger.recorder)
    logger.close(timeout=30.0)


@contextmanager
def with_opentelemetry() -> Iterator[ASGIApp]:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    class Nowhere:
        def export(self, spans: object) -> Any:
            return SpanExportResult.SUCCESS

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

        def shutdown(self) -> None:
            pass

    logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # its queue overflows
    app, provider = bare_app(), TracerProvider()
    nowhere: Any = Nowhere()
    provider.add_span_processor(BatchSpanProcessor(nowhere))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    yield app
    provider.shutdown()


@contextmanager
def with_radar(folder: Path) -> Iterator[ASGIApp]:
    from fastapi_radar import Radar

    app = bare_app()
    radar = Radar(app, db_path=str(folder))
    radar.create_tables()
    yield app
    radar.storage_engine.dispose()


async def run(requests: int, rounds: int, folder: Path) -> None:
    with ExitStack() as stack:
        delivering = EnhancedCSVLogger(base_path=folder / "delivering")
        bare_one = bare_app()
        limit = LeastRecorder(bare_one, folder / "bodies.txt")
        in_csv = stack.enter_context(recorded(CSVOnlyLogger(folder / "csv")))
        apps: dict[str, ASGIApp] = {
            BARE: bare_one,
            LIMIT: limit,
            CSV: in_csv,
            DELIVERED: stack.enter_context(recorded(delivering)),
            f"{BARE}{AT_ONCE}": bare_one,
            f"{LIMIT}{AT_ONCE}": limit,
            f"{CSV}{AT_ONCE}": in_csv,
        }
        others = {
            "opentelemetry-instrumentation-fastapi": (OPENTELEMETRY, with_opentelemetry),
            "fastapi-radar": (RADAR, lambda: with_radar(folder / "radar")),
        }
        for package, (name, observed) in others.items():
            try:
                distribution(package)
            except PackageNotFoundError:
                print(f"Not compared with {name}: {package} is not installed.")
            else:
                apps[name] = stack.enter_context(observed())
        times: dict[str, list[float]] = {name: [] for name in apps}
        delivery = {DELIVERED: delivering.shipper}
        for name, each in apps.items():
            first = [body(number) for number in range(min(requests, 20))]
            await cpu_of(each, first, delivering=delivery.get(name))
        limits = {
            name: apps[name] for name in (BARE, LIMIT, f"{BARE}{AT_ONCE}", f"{LIMIT}{AT_ONCE}")
        }
        for turns in ({name: apps[name] for name in apps if LIMIT not in name}, limits):
            for round_number in range(rounds):
                bodies = [body(round_number * requests + number) for number in range(requests)]
                for name, each in turns.items():
                    # Another's slow requests take long enough as it is.
                    share = bodies if name != RADAR else bodies[: max(requests // 40, 1)]
                    at_once = MANY if name.endswith(AT_ONCE) else 1
                    times[name].append(await cpu_of(each, share, at_once, delivery.get(name)))
    size = sum(len(body(number)) for number in range(100)) // 100
    print(f"| CPU µs a request ({size} bytes in and out) | total | added |")
    print("|---|---:|---:|")
    for name, values in times.items():
        bare = min(times[f"{BARE}{AT_ONCE}" if name.endswith(AT_ONCE) else BARE])
        print(f"| {name} | {min(values):.1f} | {min(values) - bare:.1f} |")


def alone_or_together(
    number: int, folder: Path, requests: int
) -> tuple[float, float, float, float]:
    """CPU µs a request of one of several processes, bare and recorded, and when it began and ended
    to record.
    """
    gc.set_threshold(OBJECTS_A_COLLECTION)
    bare_one, bodies = bare_app(), [body(number * requests + n) for n in range(requests)]
    with recorded(CSVOnlyLogger(folder)) as in_csv:
        for each in (bare_one, in_csv):
            asyncio.run(cpu_of(each, bodies[:20], MANY))
        ready()
        bare = asyncio.run(cpu_of(bare_one, bodies, MANY))
        ready()
        started = time.monotonic()
        total = asyncio.run(cpu_of(in_csv, bodies, MANY))
        return bare, total, started, time.monotonic()


def growth(requests: int, rounds: int, counts: Sequence[int]) -> None:
    print(f"| {MANY} at once in each, one folder | processes | total | added | requests/s |")
    print("|---|---:|---:|---:|---:|")
    for count in counts:
        measured = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                found = together(count, alone_or_together, Path(folder), requests)
            bare, total, started, ended = zip(*found, strict=True)
            rate = count * requests / (max(ended) - min(started))
            measured.append((fmean(total), fmean(total) - fmean(bare), rate))
        total_time, added, rate = min(measured)
        print(f"| {CSV} | {count} | {total_time:.1f} | {added:.1f} | {rate:,.0f} |")


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench recording", description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000, help="a round, of each (2,000)")
    parser.add_argument("--rounds", type=int, default=7, help="of each (7)")
    parser.add_argument(
        "--processes", type=int, nargs="*", default=[1, 2, 4], help="one number or several (1 2 4)"
    )
    options = parser.parse_args(arguments)
    gc.set_threshold(OBJECTS_A_COLLECTION)  # as `manage.py run` has it
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options.requests, options.rounds, Path(folder)))
    growth(options.requests, options.rounds, options.processes)
    return 0
