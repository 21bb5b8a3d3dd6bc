"""The trace log: how it is, deliver it, compare it, move it, and delete what is old."""

import argparse
from pathlib import Path

from app.lib.tracelog.schema import TABLES
from commands.kit.arguments import Arguments
from commands.kit.logs.comparison import compare
from commands.kit.logs.delivery import ship, status
from commands.kit.logs.keeping import (
    discard_quarantine,
    prune,
    retry_quarantine,
    show_quarantine,
)
from commands.kit.logs.place import Place
from commands.kit.logs.transfer import read_in, write_out
from commands.kit.settings import load_settings
from commands.kit.starting_folder import from_there
from commands.kit.words import Failure, cannot_print, print_json


def main(arguments: list[str]) -> int:
    """Do what the first argument says. Results go to standard output, progress to the other.

    What could not be done at all is raised as a `Failure` with the exit code 2; as JSON it is the
    result, too.
    """
    options = _parser().parse_args(arguments)
    try:
        return _do(Place(load_settings(), options.json, options.progress), options)
    except BrokenPipeError:
        raise
    except OSError as error:
        if cannot_print():
            raise
        path = error.filename or load_settings().log_dir
        failure = Failure("logs_unusable", path=path, reason=error.strerror or error)
    except Failure as error:
        failure = error
    failure.code = 2
    if options.json:
        print_json({"error": str(failure)})
    raise failure from None


def _do(place: Place, options: argparse.Namespace) -> int:
    match options.action:
        case "status":
            return status(place)
        case "ship":
            return ship(place, once=options.once, seconds=options.seconds)
        case "verify":
            return compare(place, alone=options.alone)
        case "export":
            return write_out(place, _path(options.folder))
        case "import":
            paths = [_path(name) for name in options.files]
            return read_in(place, paths, table=options.table, zone=options.timezone)
        case "prune":
            return prune(place)
    if options.retry:
        return retry_quarantine(place)
    return discard_quarantine(place) if options.discard else show_quarantine(place)


def _path(name: str) -> Path:
    if not name:
        # A shell's variable that nobody has set would be the folder that the person is in.
        raise Failure("logs_no_name")
    return from_there(name)


def seconds(text: str) -> float:
    """A length of time. Raises `ValueError`."""
    if (value := float(text)) >= 0:
        return value
    raise ValueError(text)


def _parser() -> argparse.ArgumentParser:
    common = Arguments(add_help=False)
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument(
        "--progress", action="store_true", help="tell the progress also where there is no terminal"
    )
    parser = Arguments(prog="manage.py logs", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)

    def action(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=what, description=what, parents=[common])

    action("status", "What became of all rows, and how the delivery goes.")
    ships = action("ship", "Deliver what waits in the CSV files, until it is asked to end.")
    ships.add_argument("--once", action="store_true", help="end when what waits now is delivered")
    ships.add_argument(
        "--seconds", type=seconds, default=30.0, metavar="N",
        help="with --once, give up after so long without progress (30)",
    )  # fmt: skip
    verify = action("verify", "Compare the CSV files with the store, row by row; 1 if they differ.")
    whose = verify.add_mutually_exclusive_group()
    whose.add_argument(
        "--alone", action="store_true", default=None,
        help="rows that only the store has are wrong too (so for a local file)",
    )  # fmt: skip
    whose.add_argument(
        "--shared", action="store_false", dest="alone",
        help="other hosts deliver to the store too (so for a server)",
    )  # fmt: skip
    exports = action("export", "Write the store's rows to CSV files, as they were.")
    exports.add_argument("folder", help="a folder for them")
    imports = action("import", "Load CSV files into the store; each row once, also if repeated.")
    imports.add_argument("files", nargs="+", metavar="FILE")
    imports.add_argument("--table", choices=TABLES, help="where neither name nor header tell it")
    imports.add_argument(
        "--timezone", metavar="NAME", help="of times without one, as Asia/Tokyo (this machine's)"
    )
    action("prune", "Delete now what is older or more than the settings keep.")
    quarantine = action("quarantine", "List what cannot be delivered, and why.")
    what = quarantine.add_mutually_exclusive_group()
    what.add_argument("--retry", action="store_true", help="deliver what can be by now")
    what.add_argument("--discard", action="store_true", help="give it up; it counts as dropped")
    return parser
