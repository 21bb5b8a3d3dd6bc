"""What README and docs name is there, and both languages say the same."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from app.config import Settings
from app.lib.tracelog.schema import STATUSES, TABLES
from app.routers import ROUTERS
from commands.kit.door import COMMANDS
from commands.kit.environment import ROOT
from commands.kit.in_use import in_use
from commands.kit.words import text
from tests.docs.documents import Document, command_source, documents, japanese, read

ENGLISH = documents()
ALL = [path for english in ENGLISH for path in (english, japanese(english))]
PICTURE_BYTES = 70_000

_SUFFIXES = (".py", ".md", ".html", ".txt", ".in", ".toml", ".json", ".csv", ".po", ".example")
_OTHER_NAMES = {"RENDER_EXTERNAL_URL", "HTTP", "NULL"}

of_every_document = pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
of_every_pair = pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.name)


@of_every_pair
class TestLanguages:
    def test_they_have_the_same_parts(self, path: Path) -> None:
        english, other = read(path), read(japanese(path))
        levels = [level for level, _ in english.headings]
        assert [level for level, _ in other.headings] == levels

    def test_they_have_the_same_code(self, path: Path) -> None:
        english, other = read(path), read(japanese(path))
        places = [(code.language, code.path) for code in english.code]
        assert [(code.language, code.path) for code in other.code] == places
        for ours, theirs in zip(english.code, other.code, strict=True):
            if ours.language != "text":  # what a program prints, in the reader's language
                assert theirs.text == ours.text
            else:
                assert theirs.text.count("\n") == ours.text.count("\n")

    def test_they_have_the_same_links(self, path: Path) -> None:
        english, other = read(path), read(japanese(path))
        assert other.links[0] == path.name
        assert english.links[0] == japanese(path).name
        links = [link.replace(".md", ".ja.md").replace(".en.", ".ja.") for link in english.links]
        assert other.links[1:] == links[1:]

    def test_they_name_the_same_things(self, path: Path) -> None:
        assert set(read(japanese(path)).names) == {
            name.replace("<first id>", "<先頭の ID>") for name in read(path).names
        }


@of_every_document
class TestNames:
    def test_links_lead_somewhere(self, path: Path) -> None:
        for link in read(path).links:
            if re.match(r"https?://", link):
                continue
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            assert target.is_file(), link
            assert not anchor or anchor in read(target).anchors, link
            if target.suffix in {".png", ".webp"}:
                assert target.stat().st_size < PICTURE_BYTES, link

    def test_paths_exist(self, path: Path) -> None:
        document = read(path)
        made_here = {code.path for code in document.code if code.path}
        for name in _paths(document):
            assert (ROOT / name).exists() or name in made_here or _is_ignored(name), name

    def test_addresses_are_routes(self, path: Path) -> None:
        made_here = {
            f"/{name.split('/')[2]}" for name in _paths(read(path)) if "templates/" in name
        }
        for name in read(path).names:
            if name.startswith("/"):
                assert name in _routes() | made_here, name

    def test_commands_exist_with_their_options(self, path: Path) -> None:
        for command, arguments in _commands(read(path)):
            assert command in COMMANDS, command
            source = command_source(command)
            for argument in arguments:
                if argument.startswith("--"):
                    assert f'"{argument}"' in source, f"{command} {argument}"

    def test_capitals_are_settings(self, path: Path) -> None:
        known = {name.upper() for name in Settings.model_fields} | {*STATUSES} | _OTHER_NAMES
        for name in read(path).names:
            if re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", name):
                assert name in known, name

    def test_python_names_occur_in_the_source(self, path: Path) -> None:
        document = read(path)
        here = "".join(code.text for code in document.code)
        for name in document.names:
            camel = re.fullmatch(r"[A-Z][a-z]\w*[A-Z]\w*", name)
            snake = re.fullmatch(r"[a-z]+(_[a-z]+)+(\(\))?", name)
            if camel or snake:
                assert name.removesuffix("()") in _source() + here, name


def test_readme_shows_what_the_first_start_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    for path, language in ((ROOT / "README.md", "en"), (ROOT / "README.ja.md", "ja")):
        monkeypatch.setenv("LC_ALL", language)
        shown = next(code.text for code in read(path).code if code.language == "text")
        ready = text("serving", origin="http://127.0.0.1:8000")
        login = text("demo_password", email="admin@example.com", password="PASSWORD")
        assert shown.startswith(login.partition("PASSWORD")[0])
        assert shown.splitlines()[1:] == [*in_use(Settings()), ready]


def test_trace_log_names_every_column_of_both_tables_in_their_order() -> None:
    for path in (ROOT / "docs" / "trace-log.md", ROOT / "docs" / "trace-log.ja.md"):
        text = path.read_text(encoding="utf-8")
        for table in TABLES.values():
            rows = text.partition(f"| `{table.name}` | | |\n|---|---|---|\n")[2].partition("\n\n")
            assert re.findall(r"^\| `(\w+)`", rows[0], re.MULTILINE) == list(table.column_names)


def test_trace_log_names_every_note_of_the_json_columns() -> None:
    package = ROOT / "app" / "lib" / "tracelog"
    sources = [*package.glob("capture/*.py"), package / "rows.py", package / "redaction/plain.py"]
    notes = {
        note
        for source in sources
        for note in re.findall(r'"(:[a-z_]+)"', source.read_text(encoding="utf-8"))
    }
    assert {":cut", ":extra", ":route"} <= notes
    for name in ("trace-log.md", "trace-log.ja.md"):
        table = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert not {note for note in notes if f"`{note}`" not in table}, name


def _paths(document: Document) -> Iterator[str]:
    """Files and folders that a document names, in its text and in its tree."""
    for name in document.names:
        is_path = "/" in name or name.startswith(".") or name.endswith(_SUFFIXES)
        if is_path and re.fullmatch(r"\.?\w[\w.\-/]*", name):
            yield name
    for code in document.code:
        if code.language == "text" and code.text.startswith("manage.py "):
            for line in code.text.splitlines():
                yield line.split()[0]


def _is_ignored(name: str) -> bool:
    """Whether it is one of the things that the app makes, and nobody commits."""
    check = ["git", "check-ignore", "--quiet", name]
    return subprocess.run(check, cwd=ROOT, check=False).returncode == 0


def _commands(document: Document) -> Iterator[tuple[str, list[str]]]:
    shell = [
        line for code in document.code if code.language == "sh" for line in code.text.split("\n")
    ]
    for line in [*document.names, *shell]:
        words = line.split()
        if words[:2] == ["python3", "manage.py"] and len(words) > 2:
            yield words[2], words[3:]


@cache
def _routes() -> frozenset[str]:
    paths = {
        route.path for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)
    }
    return frozenset(paths)


@cache
def _source() -> str:
    files = [path for folder in ("app", "commands") for path in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
