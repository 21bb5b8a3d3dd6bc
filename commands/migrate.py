"""Bring the database up to date, or write a new migration from what the models have."""

import subprocess
import sys
from pathlib import Path
from shutil import which

from app.migration import add_migration
from commands.kit import checks
from commands.kit.arguments import Arguments
from commands.kit.database import migrate
from commands.kit.environment import ROOT
from commands.kit.settings import load_settings
from commands.kit.words import Failure, say


def main(arguments: list[str]) -> int:
    """Migrate to the newest version; safe to run again and at the same time as others."""
    parser = Arguments(prog="manage.py migrate", description=__doc__)
    parser.add_argument("--make", metavar="MESSAGE", help="write a file in migrations/versions")
    message = parser.parse_args(arguments).make
    if message is not None and not message.strip():
        raise Failure("no_message")
    settings = load_settings()
    checks.check_folders(checks.folders_at_start(settings))
    checks.check_database(settings)
    # A new migration starts from a database that has all the others.
    migrate(settings)
    if message:
        add_migration(settings.database_url, message)
        _format_migrations()
        say("made_migration")
    else:
        say("migrated")
    return 0


def _format_migrations() -> None:
    """As the checks want them, where the tool for it is installed."""
    if ruff := which("ruff", path=str(Path(sys.executable).parent)):
        subprocess.run([ruff, "format", "--quiet", "migrations"], cwd=ROOT, check=False)
