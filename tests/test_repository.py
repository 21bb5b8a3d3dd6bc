"""What editors, assistants and visitors read: that it is well formed, and names what is there."""

import json
import re
import subprocess
from fnmatch import fnmatch

import pytest
import yaml

from commands.kit.door import COMMANDS
from commands.kit.environment import ROOT
from tests.docs.documents import command_source, read

PROSE = (*("AGENTS.md", "GEMINI.md", ".gemini/styleguide.md", ".github/pull_request_template.md"),)
EDITOR = (
    *(".vscode/extensions.json", ".vscode/settings.json", ".vscode/launch.json"),
    *(".vscode/tasks.json", ".devcontainer/devcontainer.json"),
)
FORMS = (".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/idea.yml")

_PATH = re.compile(r"\.?\w[\w\-]*(?:/[\w.\-]*|\.(?:md|py|in|txt|example|po))[\w./\-]*")


@pytest.mark.parametrize("name", PROSE)
def test_paths_and_links_lead_somewhere(name: str) -> None:
    document = read(ROOT / name)
    for path in filter(_PATH.fullmatch, document.names):
        assert (ROOT / path).exists(), path
    for link in document.links:
        assert re.match("https?://", link) or (ROOT / name).parent.joinpath(link).is_file(), link


@pytest.mark.parametrize("name", [*PROSE, *EDITOR, *FORMS])
def test_commands_are_there_with_their_options(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for command, options in re.findall(r"manage\.py (\w+)((?: --\w+)*)", text):
        assert command in COMMANDS, command
        source = command_source(command)
        for option in options.split():
            assert f'"{option}"' in source, f"{command} {option}"


@pytest.mark.parametrize("name", EDITOR)
def test_files_of_the_editor_are_json(name: str) -> None:
    assert json.loads((ROOT / name).read_text(encoding="utf-8"))


def test_the_editor_starts_the_app_and_the_tests() -> None:
    launch = json.loads((ROOT / ".vscode/launch.json").read_text(encoding="utf-8"))
    for configuration in launch["configurations"]:
        if "program" in configuration:
            assert configuration["program"] == "${workspaceFolder}/manage.py"
            assert configuration["args"][0] in COMMANDS


def test_templates_are_jinja_for_the_editor() -> None:
    """It compares a pattern with a path in it to the whole path of a file."""
    settings = json.loads((ROOT / ".vscode/settings.json").read_text(encoding="utf-8"))
    (pattern,) = settings["files.associations"]
    assert pattern.startswith("**/")
    assert list(ROOT.glob(pattern.removeprefix("**/")))


def test_chromium_may_make_its_sandbox_in_the_container_of_the_editor() -> None:
    """Docker forbids the system calls that it needs; as root the tests would do without."""
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert "chromium" in container["postCreateCommand"]
    assert "--security-opt=seccomp=unconfined" in container["runArgs"]


@pytest.mark.parametrize("name", FORMS)
def test_forms_for_issues_have_what_github_asks_for(name: str) -> None:
    form = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"]]
    assert len(ids) == len(set(ids))
    assert all(part["type"] == "textarea" and part["attributes"]["label"] for part in form["body"])


def test_every_assistant_gets_the_same_rules() -> None:
    assert "@AGENTS.md" in (ROOT / "GEMINI.md").read_text(encoding="utf-8").splitlines()


def test_assistants_see_no_secret_and_no_log() -> None:
    excluded = (ROOT / ".aiexclude").read_text(encoding="utf-8").splitlines()
    assert {".env", "/data/", "/logs/", "*.csv", "*.db"} <= set(excluded)


@pytest.mark.parametrize("name", [".env", ".env.new", ".env.production", ".env.local"])
def test_secrets_reach_neither_git_nor_assistants(name: str) -> None:
    """`.env.new` is the draft that becomes `.env`: a kill may leave it."""
    ignored = ["git", "check-ignore", "--no-index", "--quiet"]
    if (ROOT / ".git").exists():
        assert subprocess.run([*ignored, name], cwd=ROOT, check=False).returncode == 0
        assert subprocess.run([*ignored, ".env.example"], cwd=ROOT, check=False).returncode == 1
    patterns = (ROOT / ".aiexclude").read_text(encoding="utf-8").splitlines()
    assert any(fnmatch(name, pattern) for pattern in patterns)
    assert not any(fnmatch(".env.example", pattern) for pattern in patterns)


def test_gemini_skips_only_what_programs_make() -> None:
    config = yaml.safe_load((ROOT / ".gemini/config.yaml").read_text(encoding="utf-8"))
    for pattern in config["ignore_patterns"]:
        assert list(ROOT.glob(pattern.removesuffix("/**"))), pattern
