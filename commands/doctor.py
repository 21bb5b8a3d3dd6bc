"""Look at this machine and say, one line each, what is right, what is wrong and how to mend it."""

import gc
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

from commands.kit.arguments import Arguments
from commands.kit.doctor import for_tests, project
from commands.kit.doctor.finding import Check, Finding, examine, note
from commands.kit.doctor.names import NAMES_IN_JAPANESE
from commands.kit.environment import ROOT
from commands.kit.words import Failure, columns, language, print_json

_MARKS = {"ok": " ok ", "note": "note", "wrong": "FAIL"}


def main(arguments: list[str]) -> int:
    """Print what was found; 1 if something is wrong."""
    parser = Arguments(prog="manage.py doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    as_json = parser.parse_args(arguments).json
    findings = []
    for finding in _examine():
        findings.append(finding)
        if not as_json:
            print(f"{_MARKS[finding.state]}  {_shown(finding.name)} {finding.text}")
    if as_json:
        print_json([asdict(finding) for finding in findings])
    return int(any(finding.state == "wrong" for finding in findings))


def _shown(name: str) -> str:
    """The name for people; programs get the same one in each language."""
    width = 15
    if language() == "ja":
        name, width = NAMES_IN_JAPANESE.get(name, name), 18
    return name + " " * (width - columns(name))


def _examine() -> Iterator[Finding]:
    yield project.python()
    packages = project.packages()
    yield packages
    tests: list[tuple[str, Check]] = []
    if (ROOT / "requirements-dev.txt").exists():  # the image has none, and no tests
        tests = [
            ("Node", for_tests.node_program),
            ("Servers", for_tests.servers),
            ("Chromium", for_tests.browser),
        ]
    if packages.state == "wrong":
        yield note("Settings", "doctor_packages_first")
        yield from examine(tests)
        return
    # Only now: these need the packages.
    gc.disable()  # see commands.kit.door
    from commands.kit.settings import load_settings

    try:
        settings = load_settings()
    except Failure as failure:
        yield Finding("Settings", "wrong", str(failure))
        yield from examine(tests)
        return
    from commands.kit.doctor import accounts, database, log_store, machine, mail

    gc.freeze()
    gc.enable()
    asked = (
        ("Settings", project.env_file),
        ("Folders", machine.folders),
        ("Disk", machine.disk),
        ("Port", machine.port),
        ("Database", database.database),
        ("Supabase", accounts.accounts),
        ("Log store", log_store.log_store),
        ("Mail", mail.mail),
    )
    yield from examine([*((name, partial(check, settings)) for name, check in asked), *tests])
