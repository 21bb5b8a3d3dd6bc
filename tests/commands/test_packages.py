"""Locked packages in shares, and that the locks name all that a package needs."""

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from commands.kit.environment import ROOT
from commands.kit.packages import shares

LISTS = ("requirements.txt", "requirements-dev.txt")


def names(text: str) -> list[str]:
    return re.findall(r"^([\w.-]+)", text, re.MULTILINE)


@pytest.mark.parametrize("number", [1, 2, 4, 1000])
def test_every_locked_package_is_in_one_share_with_its_hashes(number: int) -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in LISTS]

    parts = shares(texts, number)

    assert 1 <= len(parts) <= number
    shared = [name for part in parts for name in set(names(part))]
    assert sorted(shared) == sorted({name for text in texts for name in names(text)})
    lines = [line for part in parts for line in part.splitlines()]
    assert all("==" in line and "--hash=sha256:" in line and "#" not in line for line in lines)
    assert {digest for line in lines for digest in re.findall(r"sha256:\w+", line)} == {
        digest for text in texts for digest in re.findall(r"sha256:\w+", text)
    }


def test_lines_of_one_package_stay_together() -> None:
    first = 'Big_Demo==1.0 ; python_version < "3.12" \\\r\n    --hash=sha256:aa # via x\r\n'
    second = 'big-demo[extra]==2.0 ; python_version >= "3.12" --hash=sha256:bb\nother==3 # last\n'

    assert shares([first, second], 2) == [
        'Big_Demo==1.0 ; python_version < "3.12" --hash=sha256:aa\n'
        'big-demo[extra]==2.0 ; python_version >= "3.12" --hash=sha256:bb\n',
        "other==3\n",
    ]


@pytest.mark.parametrize(
    "line",
    ["-r more.txt", "--index-url http://127.0.0.1/", "demo", "demo>=1", "./demo", "demo @ x"],
)
def test_what_is_not_pinned_is_left_to_one_pip(line: str) -> None:
    assert shares([f"other==3\n{line}\n"], 2) == []


def test_the_locks_name_all_that_their_packages_need() -> None:
    """Each pip installs what its list names and looks for nothing else."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in LISTS]
    wrong = []
    for line in "".join(shares(texts, 1)).splitlines():
        package = Requirement(line.partition(" --hash")[0])
        if package.marker and not package.marker.evaluate():
            continue
        for need in map(Requirement, metadata.requires(package.name) or ()):
            extras = ["", *package.extras]
            if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in extras):
                continue
            try:
                version = metadata.version(need.name)
            except metadata.PackageNotFoundError:
                version = "none"
            if version == "none" or not need.specifier.contains(version, prereleases=True):
                wrong.append(f"{package.name} needs {need}, there is {version}")
    assert wrong == []
