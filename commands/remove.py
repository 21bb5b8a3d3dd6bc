"""Take example parts out of the project, in one step that leaves nothing of them behind.

It deletes the files of a part, takes its lines out of others, and then brings in line what follows
from them: imports, translations, the style sheet, the list of packages, and a new migration which
drops its tables. Commit before, so that `git diff` shows what was done, and look at the migration
before you use it. Files that its users have stored stay where they are.
"""

import os
import subprocess
import sys

from commands.kit import removal
from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.words import Failure, say

_PARTS = "of %(choices)s; several are quicker at once"


def check(arguments: list[str]) -> list[str]:
    """Which parts they name; ends where one is none, before anything is installed.

    Raises `Failure` where one that stays needs another that is to go.
    """
    parser = Arguments(prog="manage.py remove", description=__doc__)
    parser.add_argument("parts", nargs="+", choices=removal.parts(), metavar="PART", help=_PARTS)
    parts: list[str] = parser.parse_args(arguments).parts
    for number, name in enumerate(parts):
        part = removal.read(name)
        for other in part.before if removal.is_there(ROOT, part) else ():
            if other not in parts[:number] and removal.is_there(ROOT, removal.read(other)):
                raise Failure("remove_before", part=part.name, other=other)
    return parts


def main(arguments: list[str]) -> int:
    """Remove parts, one after the other; nothing is done for one that is gone already."""
    parts = check(arguments)
    removed: list[tuple[removal.Part, removal.Plan]] = []
    try:
        for name in parts:
            part = removal.read(name)
            if removal.is_there(ROOT, part):
                removed.append((part, _remove(part)))
            else:
                say("remove_gone", part=part.name)
    finally:  # also where a later one cannot go
        if removed:
            _run("manage.py", "messages")
            _run("manage.py", "css")
        for part, plan in removed:
            removal.forget_packages(ROOT, part)
            say("removed", part=part.name, files=len(plan.deleted), others=len(plan.changed))
    return 0


def _remove(part: removal.Part) -> removal.Plan:
    plan = removal.plan(ROOT, part)
    removal.carry_out(plan)
    removal.add_migration(ROOT, part)
    python = [str(path) for path in plan.changed if path.suffix == ".py"] + ["migrations"]
    _run("-m", "ruff", "check", "--quiet", "--fix", "--select", "F401,I", *python)
    _run("-m", "ruff", "format", "--quiet", *python)
    return plan


def _run(*arguments: str, **env: str) -> None:
    """Another process: what this one has imported is no longer what the files say."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise Failure("remove_half", command=" ".join(arguments), reason=done.stdout.strip())
