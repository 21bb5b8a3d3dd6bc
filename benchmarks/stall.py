"""How long `logger.log` takes, and how long the event loop stalls, while Turso never answers.

The server accepts connections and says nothing. An event loop logs a row every few milliseconds,
and a timer beside it that is due each millisecond shows how late the loop is. `nothing` is the same
loop without logging: what the system itself costs. The worst of all processes is shown.
"""

import asyncio
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Final

from app.lib.logger import EnhancedCSVLogger, NullLogger
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS
from benchmarks.crew import ready, together
from commands.kit.arguments import Arguments

LOG_EVERY: Final = 0.002
TICK: Final = 0.001
ADDRESS: Final = "address.txt"

Measured = tuple[float, float, float, int]


async def _watch(logger: EnhancedCSVLogger | NullLogger, seconds: float) -> Measured:
    late: list[float] = []
    taken: list[float] = []
    ends = time.perf_counter() + seconds

    async def tick() -> None:
        while (before := time.perf_counter()) < ends:
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - before - TICK)

    async def log() -> None:
        number = 0
        while (before := time.perf_counter()) < ends:
            data = {"task_name": "AI_Refinement", "step_name": "Fetch_Data", "status": "SUCCESS"}
            logger.log(None, TASK_PROGRESS_LOGS, {**data, "execution_order": number})
            taken.append(time.perf_counter() - before)
            number += 1
            await asyncio.sleep(LOG_EVERY)

    await asyncio.gather(tick(), log())
    taken.sort()
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100], max(late), len(taken)


def nothing(_number: int, _folder: Path, milliseconds: int) -> Measured:
    ready()
    return asyncio.run(_watch(NullLogger(), milliseconds / 1000))


def silent(_number: int, folder: Path, milliseconds: int) -> Measured:
    address = (folder / ADDRESS).read_text(encoding="utf-8")
    logger = EnhancedCSVLogger(address, base_path=folder / "logs")
    ready()
    try:
        return asyncio.run(_watch(logger, milliseconds / 1000))
    finally:
        logger.close(timeout=0.1)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench stall", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each (20)")
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1, 4], help="one number or several (1 4)"
    )
    options = parser.parse_args(arguments)
    print(
        f"| {os.cpu_count()} cores | processes | rows | log() p50 ms | log() p99 ms |"
        " longest stall ms |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    # The system takes connections for a socket that listens; nobody ever looks at them.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        for processes in options.processes:
            for name, work in (("nothing", nothing), ("silent Turso", silent)):
                with tempfile.TemporaryDirectory() as folder:
                    url = f"http://127.0.0.1:{server.getsockname()[1]}"
                    (Path(folder) / ADDRESS).write_text(url, encoding="utf-8")
                    milliseconds = int(options.seconds * 1000)
                    found = together(processes, work, Path(folder), milliseconds)
                rows = sum(each[3] for each in found)
                times = " | ".join(
                    f"{max(each[which] for each in found) * 1000:.2f}" for which in range(3)
                )
                print(f"| {name} | {processes} | {rows:,} | {times} |")
    return 0
