"""Check and test everything.

With arguments only pytest runs, and gets them: `manage.py test tests/lib -k journal`.
With --live-supabase the flows of accounts run against a real Supabase Auth: SUPABASE_AUTH_URL,
SUPABASE_PUBLISHABLE_KEY and SUPABASE_SECRET_KEY name it, MAILPIT_URL the catcher of its mails.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.node import provide_modules
from commands.kit.settings import load_settings
from commands.kit.words import Failure, say, text

_PYTHON = sys.executable
_MANAGE = (_PYTHON, str(ROOT / "manage.py"))
_PYTEST = (_PYTHON, "-m", "pytest")
_LIVE = ("tests/routers/test_supabase_flows.py", "-v")
# More than there are cores, since there are always tests that wait for something. Each has a
# PostgreSQL and a browser of its own, so they are not many on a large machine.
_WORKERS = min((os.cpu_count() or 2) + 2, 8)
_RUN = uuid.uuid4().hex
_PARALLEL = (
    *("-n", str(_WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"),
    *("--testrunuid", _RUN),
)


@dataclass(frozen=True)
class Step:
    """One check: its name and its command."""

    name: str
    command: tuple[str, ...]
    needs_modules: bool = False


STEPS = (
    Step("ruff format", (_PYTHON, "-m", "ruff", "format", "--check")),
    Step("ruff check", (_PYTHON, "-m", "ruff", "check")),
    Step("mypy", (_PYTHON, "-m", "mypy")),
    Step("lint-imports", (str(Path(_PYTHON).with_name("lint-imports")),)),
    Step("css --check", (*_MANAGE, "css", "--check"), needs_modules=True),
    Step("messages --check", (*_MANAGE, "messages", "--check")),
    # Off it pytest's workers are forked. Elsewhere each would compile all that it finds by itself.
    Step("tests are read", (_PYTHON, "-m", "tests.support.forks", _RUN, json.dumps(_PARALLEL)))
    if sys.platform == "linux"
    else Step("pytest collects", (*_PYTEST, "--collect-only", "-qq")),
)


def main(arguments: list[str], name: str = "test") -> int:
    """Run every step, also where one fails. 1 if one failed."""
    parser = Arguments(prog=f"manage.py {name}", description=__doc__)
    parser.add_argument(
        "--live-supabase", action="store_true", help="test against a real Supabase Auth, see above"
    )
    options, rest = parser.parse_known_args(arguments)
    for_pytest = [word for word in rest if word != "--"]
    if options.live_supabase:
        return _test_live(tuple(for_pytest))
    if for_pytest:
        return _run_pytest(tuple(for_pytest), _modules_missing())

    failed, left_out = _check()
    if left_out and _in_ci():
        failed.append("node_modules")
    if failed:
        # Before pytest, whose closing line is to be the last.
        say("checks_failed", steps=", ".join(failed))
    return max(_run_pytest(_PARALLEL, left_out), int(bool(failed)))


def _check() -> tuple[list[str], str]:
    """Run every step, and tell of each in their order; which ones failed, and what is missing."""
    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {step: pool.submit(_run, step) for step in STEPS if not step.needs_modules}
        left_out = _modules_missing()
        if not left_out:
            runs |= {step: pool.submit(_run, step) for step in STEPS if step.needs_modules}
        for step in STEPS:
            if step not in runs:
                print(f"  -   {step.name:<18} {text('step_left_out')}", flush=True)
                continue
            done, seconds = runs[step].result()
            mark = "FAIL" if done.returncode else " ok "
            print(f" {mark} {step.name:<18} {seconds:5.1f} s", flush=True)
            if done.returncode:
                print(done.stdout, flush=True)
                failed.append(step.name)
    return failed, left_out


def _run(step: Step) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a step; what it prints is shown only where it fails. How long it took, in seconds."""
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done, time.monotonic() - started


def _test_live(arguments: tuple[str, ...]) -> int:
    """Run the flows of accounts against the server that the settings name. Raises `Failure`."""
    settings = load_settings()
    given = {
        "SUPABASE_AUTH_URL": settings.supabase_auth_url,
        "SUPABASE_PUBLISHABLE_KEY": settings.supabase_publishable_key,
        "SUPABASE_SECRET_KEY": settings.supabase_secret_key.get_secret_value(),
        "MAILPIT_URL": os.environ.get("MAILPIT_URL", ""),
    }
    if missing := [name for name, value in given.items() if not value]:
        raise Failure("live_supabase_missing", names=", ".join(missing))
    return _run_pytest((*_LIVE, *arguments), "", LIVE_SUPABASE="1")


def _run_pytest(arguments: tuple[str, ...], left_out: str, **more: str) -> int:
    environment = {**os.environ, "LEFT_OUT": left_out, **more}
    command = (*_PYTEST, *arguments)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _modules_missing() -> str:
    """Install `node_modules`; why they cannot be had, or nothing."""
    try:
        provide_modules()
    except Failure as failure:
        return str(failure)
    return ""


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}
