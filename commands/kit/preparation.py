"""What the app needs before it starts: checked, and made where it is missing."""

import logging
import sys
import threading

from app.config import Settings
from commands.kit import checks
from commands.kit.turn import in_turn
from commands.kit.words import Failure

log = logging.getLogger("app.start")


def prepare(settings: Settings) -> None:
    """Check what is there, migrate, and seed the first time. Raises `Failure`."""
    store = threading.Thread(target=_warn_of_store, args=(settings,))
    store.start()
    try:
        checks.check_folders(checks.folders_at_start(settings))
        with in_turn():
            checks.check_database(settings)
            # Only now, each in its turn: to read them takes longer than to be refused.
            from commands.kit.database import migrate

            migrate(settings)
            if settings.environment == "development" and not settings.uses_supabase:
                from commands.seed import first_seed

                first_seed(settings)
    finally:
        store.join()


def _warn_of_store(settings: Settings) -> None:
    try:
        checks.check_trace_store(settings)
    except Failure as failure:
        tell(settings, str(failure), logging.WARNING)


def tell(settings: Settings, line: str, level: int = logging.INFO) -> None:
    """Print a line for a person, or make it an entry of the app log where that is JSON."""
    if settings.environment == "production":
        log.log(level, line)
    else:
        print(line, file=sys.stderr if level > logging.INFO else sys.stdout, flush=True)
