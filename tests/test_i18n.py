"""Languages: complete catalogues, dates and numbers, and which language a reader gets."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from jinja2 import TemplateSyntaxError

from app.i18n import LABELS, catalogue_path, language, negotiate, time_zone
from app.templating import TEMPLATES, _environment
from commands import messages
from commands.kit.environment import ROOT

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def source() -> Catalog:
    """Every message of the source."""
    return messages.extract()


class TestCatalogues:
    def test_everything_is_translated(self, source: Catalog) -> None:
        assert messages.problems(source) == []

    def test_they_are_as_the_command_writes_them(self, source: Catalog) -> None:
        assert catalogue_path("ja").read_bytes() == messages.updated("ja", source)

    def test_a_missing_translation_is_found(
        self, source: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = catalogue_path("ja").read_text("utf-8")
        broken = {
            "not translated": re.sub(
                r'msgid "Account"\nmsgstr ".*"', 'msgid "Account"\nmsgstr ""', written
            ),
            "marked as fuzzy": written.replace('\nmsgid "Account"', '\n#, fuzzy\nmsgid "Account"'),
            "not in the catalogue": re.sub(r'msgid "Account"\nmsgstr ".*"', "", written),
            "not in the source": written + '\nmsgid "Nowhere"\nmsgstr "どこにも"\n',
        }
        path = tmp_path / "messages.po"
        monkeypatch.setattr(messages, "catalogue_path", lambda code: path)
        for problem, text in broken.items():
            path.write_text(text, "utf-8")
            found = messages.problems(source)
            assert len(found) == 1, (problem, found)
            assert problem in found[0]

    def test_no_template_puts_a_space_behind_a_sentence_that_is_followed_by_something(self) -> None:
        """It says `language.gap`: there is none after a Japanese full stop."""
        told = re.compile(r"""\."(?:, [^{}]*)?\) \}\} (?:\{\{|\{% if|<(?:a|code|span) ).*""")
        found = {
            str(path.relative_to(TEMPLATES)): told.findall(path.read_text(encoding="utf-8"))
            for path in TEMPLATES.rglob("*.html")
        }
        assert {name: lines for name, lines in found.items() if lines} == {}

    def test_placeholders_survive_translation(self) -> None:
        for message in messages._read("ja"):
            if not message.id:
                continue
            source = message.id if isinstance(message.id, str) else message.id[-1]
            string = message.string or ""
            translated = string if isinstance(string, str) else " ".join(string)
            names = re.compile(r"%\((\w+)\)s")
            assert set(names.findall(source)) == set(names.findall(translated)), source

    def test_texts_are_asked_for_by_names_that_the_collection_knows(self) -> None:
        """What is asked for by another name would be in no catalogue, and English for everybody."""
        alias = re.compile(r"(\w+) = [\w.()]*\.n?gettext$", re.MULTILINE)
        code = [path.read_text("utf-8") for path in (ROOT / "app").rglob("*.py")]
        assert {name for text in code for name in alias.findall(text)} <= {"_", "ngettext"}

    def test_no_text_of_a_template_bypasses_the_catalogue(self) -> None:
        """Words between tags that are not inside an expression would be English for everybody."""
        allowed = {
            "POST /items/42",
            "TimeoutError: mail.example.com",
            "openapi.json",
        }
        found = {}
        for path in TEMPLATES.rglob("*.html"):
            text = re.sub(
                r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text("utf-8"), flags=re.DOTALL
            )
            text = re.sub(
                r'="[^"]*"|<script.*?</script>|<!doctype[^>]*>', " ", text, flags=re.DOTALL
            )
            pieces = {piece.strip() for piece in re.findall(r">([^<>]*)<", text)}
            # A macro may give class names; those have brackets and inner colons.
            words = {
                piece
                for piece in pieces - allowed
                if re.search(r"[A-Za-z]{3}", piece) and not re.search(r"\S:\S|\[", piece)
            }
            if words:
                found[path.name] = words
        assert found == {}


@pytest.mark.parametrize("code", LABELS)
def test_every_template_compiles(code: str) -> None:
    environment = _environment(code)
    for name in environment.list_templates(extensions=["html"]):
        try:
            environment.get_template(name)
        except TemplateSyntaxError as error:
            pytest.fail(f"{name}:{error.lineno}: {error.message}")


@pytest.mark.parametrize(
    ("cookie", "header", "code"),
    [
        ("", "", "en"),
        ("", "ja", "ja"),
        ("", "ja-JP,ja;q=0.9,en-US;q=0.8", "ja"),
        ("", "en;q=0.5, ja;q=0.9", "ja"),
        ("", "fr, ja;q=0.1", "ja"),
        ("", "ja;q=0, en", "en"),
        ("", "*;q=x, ;;,ja", "ja"),
        ("en", "ja", "en"),
        ("xx", "ja", "ja"),
    ],
)
def test_readers_get_what_they_chose_or_their_browser_prefers(
    cookie: str, header: str, code: str
) -> None:
    assert negotiate(cookie, header).code == code


def test_dates_and_numbers_are_written_as_readers_write_them() -> None:
    english, japanese = language("en"), language("ja")
    assert english.day(date(2026, 11, 23)) == "Nov 23, 2026"
    assert japanese.day(date(2026, 11, 23)) == "2026/11/23"
    assert japanese.moment(NOW, TOKYO) == "2026/11/23 21:00:00 JST"
    assert english.moment(NOW, UTC).replace("\u202f", " ") == "Nov 23, 2026, 12:00:00 PM UTC"
    assert english.number(10_000) == "10,000"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 kB"), (1, "1 kB"), (100_000, "98 kB"), (1_572_864, "1.5 MB"), (524_288_000, "500 MB")],
)
def test_sizes_of_files_are_what_a_computer_shows(count: int, text: str) -> None:
    assert language("ja").file_size(count) == text


def test_what_just_happened_is_told_by_how_long_ago() -> None:
    english, japanese = language("en"), language("ja")
    assert english.ago(NOW - timedelta(minutes=3), UTC, NOW) == "3 minutes ago"
    assert japanese.ago(NOW - timedelta(hours=2), UTC, NOW) == "2 時間前"
    assert english.ago(NOW - timedelta(days=8), TOKYO, NOW) == "Nov 15, 2026"
    naive = (NOW - timedelta(minutes=3)).replace(tzinfo=None)
    assert english.ago(naive, UTC, NOW) == "3 minutes ago", "the database's times are UTC"


@pytest.mark.parametrize(
    "name", ["", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "Asia", "\x00"]
)
def test_a_time_zone_that_is_none_is_utc(name: str) -> None:
    assert time_zone(name) is UTC


def test_a_time_zone_by_its_name() -> None:
    assert time_zone("Asia/Tokyo") == TOKYO
