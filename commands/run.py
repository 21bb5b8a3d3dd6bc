"""Start the app on this machine.

The first time this writes .env, makes the tables, a demo administrator and example items. Ctrl+C
and SIGTERM end it.
"""

import gc
import os
import signal
from argparse import ArgumentTypeError
from contextlib import suppress

from app.app_log import start_app_log
from commands.kit.arguments import Arguments
from commands.kit.listener import listen
from commands.kit.preparation import prepare
from commands.kit.settings import load_settings, provide_env_file
from commands.kit.words import text


def main(arguments: list[str]) -> int:
    """Prepare what is missing and serve until a signal comes."""
    parser = Arguments(prog="manage.py run", description=__doc__)
    parser.add_argument("--host", help="address to listen on (HOST)")
    parser.add_argument("--port", type=_port, help="port to listen on (PORT)")
    parser.add_argument("--reload", action="store_true", help="start anew when the code changes")
    options = parser.parse_args(arguments)
    for name in ("host", "port"):
        if (value := getattr(options, name)) is not None:
            os.environ[name.upper()] = str(value)  # where the app will read it, too

    signal.signal(signal.SIGTERM, _end_now)
    try:
        provide_env_file()
        settings = load_settings()
        start_app_log(settings)
        with listen(settings.host, settings.port) as listener:
            gc.disable()  # what importing makes is never garbage
            prepare(settings)
            # Only now: so far it can be refused at once.
            from commands.kit.serving import serve

            serve(settings, listener, reload=options.reload)
    except KeyboardInterrupt:
        pass
    return 0


def _port(given: str) -> int:
    with suppress(ValueError):
        if 1 <= (port := int(given)) <= 65535:
            return port
    raise ArgumentTypeError(text("no_port"))


def _end_now(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
