"""Templates: compiled once for all languages, anew when they change."""

from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from app import templating


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Templates of this test alone."""
    monkeypatch.setattr(templating, "TEMPLATES", tmp_path)
    templating._environment.cache_clear()
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "word.html").write_text("{{ _('Cancel') }}", encoding="utf-8")
    yield tmp_path
    templating._environment.cache_clear()


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
