"""Templates: compiled once for all languages and starts, anew when they change."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from app import templating


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Templates of this test alone."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    yield use(tmp_path / "templates", monkeypatch)
    start_anew()


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(templating, "TEMPLATES", folder)
    start_anew()
    (folder / "items").mkdir(parents=True, exist_ok=True)
    (folder / "items" / "word.html").write_text("{{ _('Cancel') }}", encoding="utf-8")
    return folder


def start_anew() -> None:
    """Forget what a process knows of templates."""
    templating._environment.cache_clear()
    templating._compiled.cache_clear()


def compiled(code: str, name: str = "items/word.html") -> jinja2.Template:
    return templating._environment(code).get_template(name)


@pytest.mark.usefixtures("folder")
def test_languages_share_the_code_of_a_template_and_not_its_texts() -> None:
    english, japanese = compiled("en"), compiled("ja")

    assert english.root_render_func.__code__ is japanese.root_render_func.__code__
    assert (english.render(), japanese.render()) == ("Cancel", "キャンセル")


def test_a_template_that_changes_is_compiled_anew(folder: Path) -> None:
    compiled("en")
    (folder / "items" / "word.html").write_text("{{ _('Delete') }}!", encoding="utf-8")
    templating._environment.cache_clear()

    assert (compiled("en").render(), compiled("ja").render()) == ("Delete!", "削除!")


@pytest.mark.usefixtures("folder")
def test_the_templates_of_a_folder_can_be_read_ahead() -> None:
    for name in templating.template_names("macros", "items"):
        templating.read_template(name)

    for code in ("en", "ja"):
        cache = templating._environment(code).cache
        assert cache is not None
        assert [name for _, name in cache] == ["items/word.html"]


@pytest.fixture
def nothing_compiles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was compiled before, and this process cannot."""
    compiled("en")
    monkeypatch.delattr(jinja2.Environment, "compile")
    start_anew()


@pytest.mark.usefixtures("nothing_compiles")
def test_the_next_start_compiles_nothing() -> None:
    assert (compiled("en").render(), compiled("ja").render()) == ("Cancel", "キャンセル")


@pytest.mark.usefixtures("nothing_compiles")
def test_in_a_copy_of_the_project_nor_and_errors_name_its_own_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder.parent / "__pycache__", tmp_path / "copy" / "__pycache__")
    copy = use(tmp_path / "copy" / "templates", monkeypatch)

    template = compiled("en")

    assert template.render() == "Cancel"
    assert template.filename == str(copy / "items" / "word.html")


@pytest.mark.parametrize("left", [b"", b"no line", b"0\nno code"])
def test_a_file_that_holds_no_code_is_written_anew(folder: Path, left: bytes) -> None:
    compiled("en")
    (file,) = (folder.parent / "__pycache__").iterdir()
    whole = file.read_bytes()
    file.write_bytes(left)
    start_anew()

    assert compiled("en").render() == "Cancel"
    assert file.read_bytes() == whole


def test_where_python_writes_no_bytecode_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    assert compiled("en").render() == "Cancel"
    assert not (folder.parent / "__pycache__").exists()


def test_a_folder_that_cannot_be_written_is_no_trouble(folder: Path) -> None:
    (folder.parent / "__pycache__").write_text("a file in its place", encoding="utf-8")

    assert compiled("en").render() == "Cancel"
    assert compiled("ja").render() == "キャンセル"
