"""docs/add-a-page.md does what it says: applied to a fresh copy, it adds the page."""

import ast
import csv
import json
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app import i18n
from commands import messages
from commands.kit.environment import ROOT
from tests.docs.documents import Code, read
from tests.support.live_app import clean_env
from tests.support.plain_http import plain_client
from tests.support.processes import Program, answers, free_port
from tests.support.tree import copy_tree, once_a_run, share_installed, type_in

RUN = "python3 manage.py run"
SAID = "said.json"
LOGIN = re.compile(r"Sign in as (\S+) with the password (\S+)")
CLASSES = re.compile(r'class="([^"{]*)"')


@dataclass
class Project:
    """A copy of the project. `output` is what each command of the document has printed."""

    folder: Path
    code: list[Code]
    output: dict[str, str] = field(default_factory=dict)

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and output of a command as people type it."""
        done = type_in(self.folder, command)
        return done.returncode, done.stdout

    def put(self, code: Code) -> None:
        """Write a new file, or change the lines that a difference names."""
        path = self.folder / code.path
        if code.language != "diff":
            assert not path.exists(), f"{code.path} is there already"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code.text, encoding="utf-8")
            return
        text = "\n" + path.read_text(encoding="utf-8")
        for hunk in code.text.split("@@\n"):
            lines = hunk.splitlines()
            old = "".join(f"\n{line[1:]}" for line in lines if line[0] in " -") + "\n"
            new = "".join(f"\n{line[1:]}" for line in lines if line[0] in " +") + "\n"
            assert text.count(old) == 1, f"{code.path} does not have, or not once:{old}"
            text = text.replace(old, new)
        path.write_text(text.removeprefix("\n"), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which everything was done that the document says, in its order."""
    folder = once_a_run(tmp_path_factory, "copy-with-a-page", add_the_page)
    return Project(folder, documented(), json.loads((folder / SAID).read_text(encoding="utf-8")))


def documented() -> list[Code]:
    return read(ROOT / "docs" / "add-a-page.md").code


def add_the_page(folder: Path) -> None:
    project = Project(folder, documented())
    copy_tree(project.folder)
    share_installed(project.folder)
    _share_type_cache(project.folder)
    for code in project.code:
        if code.path:
            project.put(code)
            continue
        for command in filter(lambda line: line != RUN, code.text.splitlines()):
            status, output = project.run(command)
            project.output[command] = output
            # This one ends with 1 for as long as there is something left to translate.
            assert status == int(command.endswith("messages")), output
    (folder / SAID).write_text(json.dumps(project.output), encoding="utf-8")


def _share_type_cache(folder: Path) -> None:
    """What is known of the rest of the project need not be found out again."""
    for cache in (ROOT / ".mypy_cache").glob("*/*.db"):
        copied = folder / cache.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(cache)) as source, closing(sqlite3.connect(copied)) as copy:
            source.backup(copy)


def test_the_commands_say_what_the_document_says(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = (project.folder / "migrations" / "versions").glob("*_notes.py")
    written = made.read_text(encoding="utf-8")
    assert 'op.create_table(\n        "notes"' in written
    assert 'own_rows("notes", "owner_id")' in written

    untranslated = project.output["python3 manage.py messages"]
    translated = next(code.text for code in project.code if code.path.endswith(".po"))
    for message in re.findall(r'msgid ("[^"]+")', translated):
        assert f"not translated: {ast.literal_eval(message)!r}" in untranslated
    monkeypatch.setattr(messages, "SOURCE", project.folder / "app")
    monkeypatch.setattr(i18n, "LOCALES", project.folder / "app" / "locales")
    assert messages.main(["--check"]) == 0, "and the document translates all of them"


def test_its_own_test_passes(project: Project) -> None:
    output = project.output["python3 manage.py test tests/routers/test_note_router.py"]
    assert "100%" in output
    assert "not tested" not in output


def test_the_code_is_as_the_checks_want_it(project: Project) -> None:
    python = [code.path for code in project.code if code.path.endswith(".py")]
    python += [
        str(path.relative_to(project.folder)) for path in project.folder.glob("migrations/*/*.py")
    ]
    for check in ("ruff format --check", "ruff check --no-cache", "lint-imports"):
        arguments = shlex.split(check) + (python if "ruff" in check else [])
        program = Path(sys.executable).with_name(arguments[0])
        done = _check([str(program), *arguments[1:]], project)
        assert done.returncode == 0, done.stdout

    done = _check([sys.executable, "-m", "mypy", *python], project)
    assert "checked" in done.stdout or "no issues" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith(tuple(python))] == []


def _check(command: list[str], project: Project) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_it_uses_no_class_that_the_style_sheet_lacks(project: Project) -> None:
    templates = [code for code in project.code if code.language == "html"]
    (style_sheet,) = (project.folder / "app" / "static" / "dist").glob("app.*.css")
    known = style_sheet.read_text(encoding="utf-8").replace("\\", "")
    for template in templates:
        for classes in CLASSES.findall(template.text):
            for name in classes.split():
                assert f".{name}" in known, name


@pytest.fixture
def app(project: Project) -> Iterator[Program]:
    """The copy, started as the document says."""
    port = free_port()
    app = Program(
        [sys.executable, "manage.py", "run", "--port", str(port)],
        ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        log=project.folder / "output.log",
        env=clean_env(LANG="C.UTF-8", PYTHONUNBUFFERED="1", PUBLIC_ORIGIN=_origin(port)),
        cwd=project.folder,
    )
    app.start()
    yield app
    app.kill()


def _origin(port: int | str) -> str:
    return f"http://127.0.0.1:{port}"


def test_the_page_answers_and_its_trace_is_found(project: Project, app: Program) -> None:
    origin = app.env["PUBLIC_ORIGIN"]
    with plain_client(base_url=origin, headers={"Origin": origin}) as browser:
        (login,) = LOGIN.findall(app.output())
        browser.post("/sign-in", data={"email": login[0], "password": login[1]})
        added = browser.post("/notes", data={"text": "Read the log"})
        page = browser.get("/notes", headers={"Accept-Language": "ja"})

    assert (added.status_code, added.headers["location"]) == (303, "/notes")
    assert "Read the log" in page.text
    assert ">メモ</a>" in page.text
    logs = project.folder / "logs"
    with (logs / "api_logs.csv").open(encoding="utf-8", newline="") as file:
        requests = {row["trace_id"]: row for row in csv.DictReader(file)}
    with (logs / "task_progress_logs.csv").open(encoding="utf-8", newline="") as file:
        steps = {row["trace_id"]: row["step_name"] for row in csv.DictReader(file)}
    trace_id = added.headers["x-trace-id"]
    assert requests[trace_id]["endpoint"] == "/notes"
    assert steps[trace_id] == "DB_Insert"
