"""Compile the short lists of direct needs (requirements*.in) to requirements*.txt with hashes."""

import subprocess
import sys
from pathlib import Path

from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.words import Failure

# In this order: the later ones take over the versions of requirements.txt.
FILES = ("requirements-pip", "requirements", "requirements-dev", "requirements-bench")

_UV = str(Path(sys.executable).with_name("uv"))


def main(arguments: list[str]) -> int:
    """Keep the versions that are locked unless a list asks for others or `--upgrade` is given."""
    parser = Arguments(prog="manage.py lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = ["--upgrade"] if parser.parse_args(arguments).upgrade else []
    for name in FILES:
        command = [_UV, "pip", "compile", f"{name}.in", "--output-file", f"{name}.txt"]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-header", "--quiet", *upgrade]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise Failure("lock_failed", file=f"{name}.in")
        print(f"{name}.txt")
    return 0
