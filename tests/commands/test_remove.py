"""`manage.py remove`: nothing of the part is left, and the rest works as before."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import remove
from commands.kit import removal
from commands.kit.environment import ROOT, is_installed
from commands.kit.words import Failure
from tests.support.live_app import clean_env
from tests.support.parts import needs
from tests.support.processes import finish
from tests.support.tree import copy_tree, once_a_run, share_installed

# Names of each part that nothing else has.
OWN = {
    "pictures": r"\bPicture[A-Z]|\bpicture_|\bPICTURE_(?!BYTES = )|/pictures/_",
    "ai": r"\brefinement_|\bRefinements?\b|chat_(completions|server)|\bAI_(BASE_URL|MODEL)|\"ai_",
    "items": (
        r"\bapp[./](jobs|models|routers|schemas|services)[./](item|import)|\bGramZones"
        r"|\bBulk_(Ex|Im)port|\b[Ii]tem_(gram|matches|search)|\bsearch_grams|\bseed_items|\b(import_max|IMPORT_MAX)"
        r"|\"To your items|'/items'|href=\"/items|\b(hana\.\w+|at)\(\"/items"
    ),
}
"""In the order in which they can go."""

# The pictures in the documents are others.
OTHERS = ("tests/docs/test_documents.py", "tests/docs/test_pictures.py")

TESTS = (
    "tests/routers/test_home_router.py",
    "tests/test_migrations.py::test_the_models_are_what_the_migrations_make",
    "tests/test_migrations.py::test_all_of_it_can_be_taken_back",
    *("tests/docs/test_settings.py", "tests/routers/test_ownership.py"),
    # Whose rows are whose is asked of SQLite; which tables there are, of both.
    *("-k", "not (test_ownership and postgres)"),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project without any of its parts that can be removed."""
    there = (ROOT / "node_modules").is_dir()
    needs("node_modules", there=there, mend="`python3 manage.py test` installs it")
    return once_a_run(tmp_path_factory, "copy-without-parts", remove_all)


def remove_all(folder: Path) -> None:
    copy_tree(folder)
    share_installed(folder)
    # This project may have removed some.
    parts = [part for part in OWN if removal.is_there(folder, removal.read(part))]
    done = run(folder, "manage.py", "remove", *parts)
    assert done.returncode == 0, done.stdout
    for part in parts:
        assert f"Removed {part}" in done.stdout
        (migration,) = folder.glob(f"migrations/versions/without_{part}.py")
        assert f"Without {part}" in migration.read_text(encoding="utf-8")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return finish([sys.executable, *arguments], clean_env(LANG="C.UTF-8"), folder)


def test_what_is_installed_is_still_known_elsewhere(copy: Path) -> None:
    assert "pillow" not in (copy / "requirements.txt").read_text(encoding="utf-8")
    assert is_installed("requirements.txt")


@pytest.mark.parametrize("part", OWN)
def test_nothing_of_it_is_left(copy: Path, part: str) -> None:
    left = [
        str(path.relative_to(copy))
        for folder in ("app", "tests", "docs")
        for path in (copy / folder).rglob("*")
        if path.suffix in {".py", ".html", ".js", ".css", ".md", ".po"}
        if re.search(OWN[part], path.read_text(encoding="utf-8"))
    ]
    assert set(left) <= {"tests/commands/test_remove.py", *OTHERS}
    packages = removal.read(part).packages
    assert not [
        name for name in packages if name in (copy / "requirements.txt").read_text(encoding="utf-8")
    ]
    assert not removal.is_there(copy, removal.read(part))


def test_nothing_imports_what_is_gone(copy: Path) -> None:
    missing = [
        f"{path.relative_to(copy)}: {node.module}"
        for folder in ("app", "benchmarks", "commands", "migrations", "tests")
        for path in (copy / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and not is_known(copy, node)
    ]
    assert missing == []


def is_known(copy: Path, node: ast.ImportFrom) -> bool:
    """Whether the module is there, or belongs to somebody else; of a package, each name of it."""
    place = copy.joinpath(*(node.module or "").split("."))
    if not (copy / place.relative_to(copy).parts[0]).is_dir() or place.with_suffix(".py").is_file():
        return True
    package = place / "__init__.py"
    exported = package.read_text(encoding="utf-8") if package.is_file() else ""
    return place.is_dir() and all(
        (place / name.name).is_dir()
        or (place / f"{name.name}.py").is_file()
        or re.search(rf"\b{name.name}\b", exported)
        for name in node.names
    )


@pytest.mark.parametrize("check", ["ruff check --no-cache", "ruff format --check --no-cache"])
def test_the_checks_are_content(copy: Path, check: str) -> None:
    done = run(copy, "-m", *check.split(), "app", "benchmarks", "commands", "tests")

    assert done.returncode == 0, done.stdout


def test_what_remains_passes_its_tests(copy: Path) -> None:
    done = run(copy, "-m", "pytest", "-p", "no:cacheprovider", *TESTS)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("part", OWN)
def test_a_file_that_was_changed_by_hand_stops_it_before_anything_is_done(
    tmp_path: Path, part: str
) -> None:
    (tmp_path / "app/models").mkdir(parents=True)
    mine = tmp_path / "app/models/__init__.py"
    mine.write_text("# all different\n", encoding="utf-8")

    with pytest.raises(Failure, match=r"app/models/__init__\.py was changed by hand"):
        removal.plan(tmp_path, removal.read(part))


def test_what_has_gone_is_brought_in_line_where_a_later_part_cannot_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[tuple[str, ...]] = []

    def take_out(part: removal.Part) -> removal.Plan:
        if part.name == "pictures":
            raise Failure("remove_not_found", file="app/main.py", what="pictures")
        return removal.Plan((), {})

    monkeypatch.setattr(removal, "is_there", lambda *_: True)
    monkeypatch.setattr(removal, "forget_packages", lambda _, part: done.append((part.name,)))
    monkeypatch.setattr(remove, "_remove", take_out)
    monkeypatch.setattr(remove, "_run", lambda *words: done.append(words))

    with pytest.raises(Failure, match="changed by hand"):
        remove.main(["ai", "pictures"])

    assert done == [("manage.py", "messages"), ("manage.py", "css"), ("ai",)]
