"""Take an example part out of the project, in one step that leaves nothing of it behind.

It deletes the part's files, takes its lines out of others, and then brings in line what follows
from them: imports, translations, the style sheet, the list of packages, and a new migration which
drops its tables. Commit before, so that `git diff` shows what was done, and look at the migration
before you use it. Files that its users have stored stay where they are.
"""

import argparse
import os
import subprocess
import sys

from commands.kit import removal
from commands.kit.environment import ROOT
from commands.kit.words import Failure, say


def main(arguments: list[str]) -> int:
    """Remove one part; nothing is done where it is gone already."""
    parser = argparse.ArgumentParser(
        prog="manage.py remove",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=removal.parts())
    part = removal.read(parser.parse_args(arguments).part)
    if not removal.is_there(ROOT, part):
        say("remove_gone", part=part.name)
        return 0
    for other in part.before:
        if removal.is_there(ROOT, removal.read(other)):
            raise Failure("remove_before", part=part.name, other=other)
    plan = removal.plan(ROOT, part)
    removal.carry_out(plan)
    removal.add_migration(ROOT, part)
    python = [str(path) for path in plan.changed if path.suffix == ".py"] + ["migrations"]
    _run("-m", "ruff", "check", "--quiet", "--fix", "--select", "F401,I", *python)
    _run("-m", "ruff", "format", "--quiet", *python)
    _run("manage.py", "messages")
    _run("manage.py", "css")
    removal.forget_packages(ROOT, part)
    say("removed", part=part.name, files=len(plan.deleted), others=len(plan.changed))
    return 0


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
