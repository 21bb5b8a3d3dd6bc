"""Every command in a shell block of the documents is run: here, by another test, or by CI.

A new one fails until it is found in one of the three lists.
"""

import re
from pathlib import Path

import pytest

from commands.kit.environment import ROOT
from tests.docs.documents import documents, read
from tests.support.parts import needs
from tests.support.tree import copy_tree, share_installed, type_in

HERE = (
    "python3 manage.py doctor",
    "python3 manage.py migrate",
    "python3 manage.py seed --items 20",
    "python3 manage.py user list",
    "python3 manage.py css",
)
"""In this order, in one copy of the project."""

POSTGRES_URL = "postgresql://USER:PASSWORD@HOST:5432/postgres"
WITH_POSTGRES = f"DATABASE_URL={POSTGRES_URL} python3 manage.py user add --admin you@example.com"

ELSEWHERE = {
    # A copy of the tree stands for the clone.
    "git clone URL my-app": "tests/browser/test_first_hour.py",
    "cd my-app": "tests/browser/test_first_hour.py",
    "python3 manage.py run": "tests/browser/test_first_hour.py",
    "python3 manage.py test": "tests/commands/test_test.py",
    'python3 manage.py rename "My App"': "tests/commands/test_rename.py",
    "python3 manage.py remove pictures": "tests/commands/test_remove.py",
    "python3 manage.py remove ai": "tests/commands/test_remove.py",
    "python3 manage.py remove items": "tests/commands/test_remove.py",
    'python3 manage.py migrate --make "notes"': "tests/docs/test_add_a_page.py",
    "python3 manage.py messages": "tests/docs/test_add_a_page.py",
    "python3 manage.py test tests/routers/test_note_router.py": "tests/docs/test_add_a_page.py",
    "python3 manage.py keys": "tests/commands/test_keys.py",
    "python3 manage.py logs export old-log": "tests/commands/logs/test_transfer.py",
    "TURSO_URL=libsql://NEW.turso.io TURSO_TOKEN=… "
    "python3 manage.py logs import old-log/api_logs.csv old-log/task_progress_logs.csv": (
        "tests/commands/logs/test_transfer.py"
    ),
    # With a server of the test's own.
    "SUPABASE_AUTH_URL=http://localhost:9999 MAILPIT_URL=http://localhost:8025 "
    "python3 manage.py test --live-supabase": "tests/commands/test_test.py",
    'curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8000/api/items': (
        "tests/routers/test_account_flows.py"
    ),
}

# There is no Docker where the tests run.
IN_CI = {
    r"docker build -t \S+ \.": "docker build ",
    r"docker run --rm -p 8000:10000 --env-file \.env \S+": "docker run ",
    r"docker exec CONTAINER /app/\.venv/bin/python manage\.py user add --admin you@example\.com": (
        "docker exec app /app/.venv/bin/python manage.py user add --admin "
    ),
    r"docker compose --profile supabase up --build": "--profile supabase up --build ",
}


def commands() -> set[str]:
    """All commands of all shell blocks, each on one line."""
    shell = [code.text for path in documents() for code in read(path).code if code.language == "sh"]
    joined = re.sub(r"\\\n\s*", "", "".join(shell))
    return {line for line in joined.splitlines() if line and not line.startswith("#")}


def test_every_command_is_run_somewhere() -> None:
    known = {*HERE, WITH_POSTGRES, *ELSEWHERE}
    unknown = {
        line
        for line in commands() - known
        if not any(re.fullmatch(pattern, line) for pattern in IN_CI)
    }
    assert not unknown, "in none of the lists"
    assert known <= commands(), "no longer in a document"


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_the_others_tests_are_there(test: str) -> None:
    assert "def test_" in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("words", IN_CI.values())
def test_ci_runs_what_needs_docker(words: str) -> None:
    workflows = (ROOT / ".github" / "workflows").glob("*.yml")
    assert any(words in workflow.read_text(encoding="utf-8") for workflow in workflows)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    copy_tree(folder)
    share_installed(folder)
    return folder


def run(folder: Path, line: str, **env: str) -> str:
    """What a command prints that must go well."""
    done = type_in(folder, line, **env)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_those_of_a_fresh_project_go_well_in_their_order(copy: Path) -> None:
    there = (ROOT / "node_modules").is_dir()
    needs("node_modules", there=there, mend="`python3 manage.py test` installs it")

    said = {line: run(copy, line) for line in HERE}

    assert "admin@example.com" in said["python3 manage.py user list"]


def test_the_first_administrator_of_a_service_is_made_from_elsewhere(
    copy: Path, postgres_database: str
) -> None:
    line = WITH_POSTGRES.partition(" ")[2]

    assert "you@example.com" in run(copy, line, DATABASE_URL=postgres_database)
