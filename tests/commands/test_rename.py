"""`manage.py rename`: whatever the name, it stands everywhere, and everything still works."""

import json
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

import pytest
import yaml

from commands.kit import naming
from commands.kit.naming import Product, product
from commands.kit.words import Failure
from tests.support.live_app import clean_env
from tests.support.processes import finish
from tests.support.tree import copy_tree, share_compiled

FIRST = product(f"Quill {uuid.uuid4().hex}")
NAMES = {
    "My App": "my-app",
    "私のアプリ": "app",
    'He said "hi" & it\'s <b>$HOME</b> `x`': "he-said-hi-it-s-b-home-b-x",
    "../../etc/passwd": "etc-passwd",
    "C:\\new\\table": "c-new-table",
    "🍰 Crème 👩‍🍳 brûlée": "creme-brulee",
    "#1 [*]": "app-1",
    "On": "app-on",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a name that stands nowhere by chance."""
    folder = tmp_path_factory.mktemp("copy")
    copy_tree(folder)
    share_compiled(folder)
    rename(folder, FIRST)
    return folder


def rename(folder: Path, product: Product) -> list[str]:
    """The files that were changed."""
    changed = []
    for file, text in naming.changes(folder, product):
        assert text is not None, f"{file} has no place for the name"
        (folder / file).write_text(text, encoding="utf-8")
        changed.append(file)
    return changed


@pytest.mark.parametrize("name", NAMES)
def test_every_file_takes_any_name_and_a_second_time_changes_nothing(copy: Path, name: str) -> None:
    new = product(name)
    assert new == Product(name, NAMES[name])

    changed = rename(copy, new)

    assert rename(copy, new) == []
    assert naming.current(copy) == new
    assert (
        tomllib.loads((copy / "pyproject.toml").read_text("utf-8"))["project"]["name"] == new.slug
    )
    for file in ("package.json", "package-lock.json"):
        assert json.loads((copy / file).read_text("utf-8"))["name"] == new.slug
    devcontainer = json.loads((copy / ".devcontainer/devcontainer.json").read_text("utf-8"))
    assert devcontainer["name"] == name
    compose = yaml.safe_load((copy / "docker-compose.yml").read_text("utf-8"))
    assert (compose["name"], compose["services"]["app"]["image"]) == (new.slug, new.slug)
    assert (
        yaml.safe_load((copy / "render.yaml").read_text("utf-8"))["services"][0]["name"] == new.slug
    )
    assert f"docker build -t {new.slug} ." in (copy / "README.ja.md").read_text("utf-8")
    assert {"README.md", "Dockerfile", "app/product.py"} < set(changed)


def test_nothing_of_the_old_name_is_left(copy: Path) -> None:
    rename(copy, FIRST)
    named = {path for path in files(copy) if is_named(path)}
    rename(copy, product("Another"))

    assert {str(path.relative_to(copy)) for path in named} == {
        *dict.fromkeys(place.file for place in naming.PLACES)
    }
    assert not [path for path in files(copy) if is_named(path)]


def files(folder: Path) -> list[Path]:
    others = {".venv", "__pycache__"}
    return [path for path in folder.rglob("*") if path.is_file() and others.isdisjoint(path.parts)]


def is_named(path: Path) -> bool:
    content = path.read_bytes().lower()
    names = (FIRST.name.lower(), FIRST.slug, FIRST.slug.replace("-", "_"))
    return any(name.encode() in content for name in names)


@pytest.mark.parametrize(
    ("name", "slug", "sentence"),
    [
        ("  ", "", "The name is empty"),
        ("x" * 41, "", "The name is longer than 40 signs"),
        ("a\u202eb", "", "The name holds signs that cannot be seen"),
        ("a\x00b", "", "The name holds signs that cannot be seen"),
        ("App", "My App", "--slug takes small Latin letters"),
        ("App", "-x", "--slug takes small Latin letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, slug: str, sentence: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C")

    with pytest.raises(Failure, match=sentence):
        product(name, slug)


def test_a_file_that_lost_its_place_is_told_and_one_that_is_gone_is_not(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/product.py").write_text('NAME: Final = "A"\nSLUG: Final = "a"\n', "utf-8")
    (tmp_path / "render.yaml").write_text("services: []\n", "utf-8")

    found = dict(naming.changes(tmp_path, product("B")))

    assert found == {
        "app/product.py": 'NAME: Final = "B"\nSLUG: Final = "b"\n',
        "render.yaml": None,
    }


class TestCommand:
    """In a copy, from the command line to pages, checks and tests."""

    NAME = '私の "アプリ" <2>'

    @pytest.fixture(scope="class")
    @staticmethod
    def renamed(copy: Path) -> Path:
        (copy / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
        done = run(copy, "manage.py", "rename", TestCommand.NAME, "--slug", "watashi")
        assert done.returncode == 0, done.stdout
        assert f"It is called {TestCommand.NAME} now, by programs watashi" in done.stdout
        return copy

    def test_again_it_keeps_the_slug_and_changes_nothing(self, renamed: Path) -> None:
        before = {path: path.read_bytes() for path in files(renamed)}

        done = run(renamed, "manage.py", "rename", self.NAME)

        assert "nothing was changed" in done.stdout
        assert {path: path.read_bytes() for path in before} == before

    def test_pages_and_cookies_have_the_name(self, renamed: Path) -> None:
        code = """
import gc
gc.disable()
from starlette.testclient import TestClient
from app.config import Settings
from app.lib.logger import NullLogger
from app.main import create_app
app = create_app(Settings(database_url="sqlite:///x/app.db"), logger=NullLogger())
browser = TestClient(app, base_url="http://app.test")
print(browser.get("/").text)
chosen = browser.post("/preferences", data={"theme": "dark"}, headers={"Origin": "http://app.test"},
    follow_redirects=False)
print(chosen.headers["set-cookie"])
gc.freeze()
"""
        done = run(renamed, "-c", code)

        assert "– 私の &#34;アプリ&#34; &lt;2&gt;</title>" in done.stdout, done.stdout
        assert "watashi-theme=dark" in done.stdout

    def test_the_checks_and_tests_that_could_mind_the_name_pass(self, renamed: Path) -> None:
        for arguments in (
            ("ruff", "format", "--check", "--no-cache", "app/product.py"),
            ("ruff", "check", "--no-cache", "app/product.py"),
            (
                *(
                    "pytest",
                    "-p",
                    "no:cacheprovider",
                    "tests/test_mail.py",
                    "tests/test_compose.py",
                ),
                *(
                    "tests/test_render.py",
                    "tests/test_repository.py",
                    "tests/docs/test_settings.py",
                ),
                *("tests/docs/test_security.py", "tests/schemas/test_password_rules.py"),
                "tests/routers/test_home_router.py",
            ),
        ):
            done = run(renamed, "-m", *arguments)
            assert done.returncode == 0, done.stdout


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return finish([sys.executable, *arguments], clean_env(LANG="C.UTF-8"), folder)
