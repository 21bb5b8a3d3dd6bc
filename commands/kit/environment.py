"""The project's own Python: `.venv`, with the locked packages in it. Standard library only."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from commands.kit.packages import shares
from commands.kit.turn import in_turn
from commands.kit.words import Failure, say

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / ".installed.json"
LOG = VENV / "install.log"
PIP = ROOT / "requirements-pip.txt"
"""Locks pip itself: the one that Python brings may take half as long again."""

_REASONS = (
    (r"DO NOT MATCH THE HASHES", "install_hash"),
    (r"No space left on device", "install_disk"),
    (
        r"NewConnectionError|ConnectTimeoutError|ProxyError|ReadTimeoutError|SSLError"
        r"|NameResolutionError|getaddrinfo|name resolution|Connection refused|timed out",
        "install_network",
    ),
    # Where no wheel fits pip takes the source, which wants a compiler.
    (r"No matching distribution|Could not find a version|subprocess-exited", "install_no_package"),
)


def provide(files: Sequence[str]) -> None:
    """Make sure this process runs in `.venv` with the packages of `files` installed.

    Where it runs in another Python, it goes on in `.venv`'s and does not come back. Without
    `files` nothing is made or installed, and `.venv` is used where there is one. Raises `Failure`.
    """
    if not _inside():
        if files and not _is_usable():
            with in_turn():
                if not _is_usable():
                    _make()
        if files or _is_usable():
            _continue_in_venv()
        return
    if not all(map(is_installed, files)):
        with in_turn():
            if missing := [name for name in files if not is_installed(name)]:
                _install(missing)


def is_installed(file: str) -> bool:
    """Whether `.venv` holds the packages of this requirements file, as it is now."""
    return _stamps().get(file) == _stamp(file)


def _inside() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def _is_usable() -> bool:
    return os.access(PYTHON, os.X_OK) and _made_by_new_python()


def _made_by_new_python() -> bool:
    try:
        written = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    version = re.search(r"^version(?:_info)? *= *3\.(\d+)", written, re.MULTILINE)
    return version is None or int(version[1]) >= 11


def _make() -> None:
    try:
        import ensurepip  # noqa: F401 # Debian ships Python without it
        import venv
    except ImportError:
        raise Failure("no_venv_module") from None
    say("making_venv", version=platform.python_version(), file=sys.stderr)
    try:
        venv.EnvBuilder(clear=VENV.is_dir(), symlinks=os.name != "nt").create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"exit code {error.returncode}"
        raise Failure("no_venv", path=VENV, reason=reason) from None


def _continue_in_venv() -> None:
    command = [str(PYTHON), str(ROOT / "manage.py"), *sys.argv[1:]]
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 # no shell wanted
    # Windows has no exec: wait, and let Ctrl+C end the inner process first.
    process = subprocess.Popen(command)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:
            continue


def _install(files: Sequence[str]) -> None:
    say("installing", files=", ".join(files), file=sys.stderr)
    command = ["install", "--require-hashes", "--no-input"]
    command += ["--disable-pip-version-check", "--no-warn-script-location"]
    # Python compiles what it reads, which is a third of all. Where it is not to, as in the image,
    # pip does.
    later = [] if sys.dont_write_bytecode else ["--no-compile"]
    python = sys.executable
    rounds = [[[python, "-m", "pip", *command, *later, *what] for what in _for_each_pip(files)]]
    if not _has_locked_pip():
        rounds.insert(0, [[python, *_pip_at_hand(), *command, "-r", str(PIP)]])
    with LOG.open("w", encoding="utf-8") as log:
        failed = any(_run_together(commands, log) for commands in rounds)
    if failed:
        output = LOG.read_text(encoding="utf-8", errors="replace")
        reason = next((key for pattern, key in _REASONS if re.search(pattern, output)), None)
        raise Failure(reason or "install_failed", log=LOG.relative_to(ROOT))
    stamps = _stamps() | {file: _stamp(file) for file in files}
    fresh = STAMP.with_name(f"{STAMP.name}.{os.getpid()}")
    fresh.write_text(json.dumps(stamps, indent=1), encoding="utf-8")
    fresh.replace(STAMP)  # another command may be reading it


def _run_together(commands: Sequence[Sequence[str]], log: TextIO) -> bool:
    """Whether one of them failed. None of them is left behind, however this ends."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            running.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    return any(codes)


def _for_each_pip(files: Sequence[str]) -> Iterator[list[str]]:
    """Arguments for as many pips as are worth their while: one keeps one core busy."""
    texts = [(ROOT / file).read_text(encoding="utf-8") for file in files]
    parts = shares(texts, min(os.cpu_count() or 1, 4))
    if not parts:
        yield [word for file in files for word in ("-r", file)]
    for number, part in enumerate(parts):
        path = VENV / f"install-{number}.txt"
        path.write_text(part, encoding="utf-8")
        yield ["--no-deps", "-r", str(path)]  # a lock names all that a package needs


def _has_locked_pip() -> bool:
    locked = re.search(r"(?m)^pip==([\w.]+)", PIP.read_text(encoding="utf-8"))
    try:
        return locked is not None and importlib.metadata.version("pip") == locked[1]
    except importlib.metadata.PackageNotFoundError:
        return False


def _pip_at_hand() -> list[str]:
    """What to run for pip: that of `.venv`, or else the archive in which Python brings one."""
    if importlib.util.find_spec("pip") is not None:
        return ["-m", "pip"]
    try:
        import ensurepip
    except ImportError:
        raise Failure("no_venv_module") from None
    folders = [Path(ensurepip.__file__).parent / "_bundled"]
    if elsewhere := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(elsewhere))
    wheels = [wheel for folder in folders for wheel in folder.glob("pip-*.whl")]
    if not wheels:
        raise Failure("no_venv_module")
    return [str(wheels[0] / "pip")]


def _stamps() -> dict[str, str]:
    try:
        stamps: dict[str, str] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps


def _stamp(file: str) -> str:
    """What the packages depend on: the file and the Python they were built for."""
    content = (ROOT / file).read_bytes().replace(b"\r\n", b"\n")
    return f"{sys.version_info[0]}.{sys.version_info[1]} {hashlib.sha256(content).hexdigest()}"
