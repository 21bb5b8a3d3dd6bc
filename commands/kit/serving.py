"""The app under uvicorn, in this process, or in one that is made anew when the code changes.

Apart from `commands.kit.server`: a process that only watches the code reads none of the app.
"""

import gc
import os
import signal
import socket
from functools import partial

import uvicorn

from app.app_log import logging_config
from app.config import Settings
from app.lib.tracelog.bell import Bell
from commands.kit.environment import ROOT
from commands.kit.memory import give_memory_back

# Open responses get this long to end, then the trace log is delivered and the app closes.
_GRACEFUL_SECONDS = 10
# psycopg needs a loop that Windows does not take by itself.
_LOOP = "asyncio:SelectorEventLoop" if os.name == "nt" else "auto"


def serve(settings: Settings, listener: socket.socket, *, reload: bool) -> None:
    """Serve until a signal comes."""
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop=_LOOP,
        log_config=logging_config(settings),
        log_level="warning",
        access_log=False,  # the trace log is one, and better
        server_header=False,
        proxy_headers=False,  # TRUSTED_PROXIES says whom to believe
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        reload=reload,
        reload_dirs=[str(ROOT / "app")] if reload else None,
    )
    # uvicorn ends gracefully and then raises the signal again, which is to do nothing more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _already_ending)
    run = partial(_run, config, settings)
    if reload:
        from uvicorn.supervisors import ChangeReload

        gc.freeze()
        reloader = ChangeReload(config, target=run, sockets=[listener])
        reloader.should_exit = End()  # type: ignore[assignment] # with all that is used of an event
        reloader.run()
    else:
        run(sockets=[listener])


class End:
    """Whether the reloader is to end: an event that a signal's handler may set at any moment.

    A `threading.Event` that its own thread is about to wait for would never be set.
    """

    def __init__(self) -> None:
        self._bell = Bell()
        self._has_come = False

    def set(self) -> None:
        self._has_come = True
        self._bell.ring()

    def is_set(self) -> bool:
        return self._has_come

    def wait(self, seconds: float) -> bool:
        return self._has_come or self._bell.wait(seconds)


def _run(config: uvicorn.Config, settings: Settings, *, sockets: list[socket.socket]) -> None:
    gc.disable()  # until it has started
    from commands.kit.server import Server

    give_memory_back()
    Server(config, settings).run(sockets=sockets)


def _already_ending(_number: int, _frame: object) -> None:
    pass
