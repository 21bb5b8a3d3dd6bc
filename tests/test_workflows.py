"""The workflows on GitHub: what they run is here, and what they use is pinned."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.kit.door import COMMANDS
from commands.kit.environment import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

WRITES = "packages.yml"
"""It opens a pull request."""

of_every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def _load(path: Path) -> dict[str, Any]:
    # BaseLoader: for any other, `on` is the truth value.
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return loaded


@of_every_workflow
class TestWorkflow:
    def test_actions_are_pinned_by_commit_with_their_version_beside(self, path: Path) -> None:
        used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
        assert used
        for action in used:
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action

    def test_it_may_only_read_and_ends_in_time(self, path: Path) -> None:
        workflow = _load(path)
        assert workflow["permissions"] == {"contents": "read"}
        for name, job in workflow["jobs"].items():
            assert "permissions" not in job or path.name == WRITES, name
            assert int(job["timeout-minutes"]) <= 60, name
            assert re.fullmatch(r"ubuntu-\d\d\.04", job["runs-on"]), name

    def test_what_it_runs_is_there(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for command in re.findall(r"manage\.py (\w+)", text):
            assert command in COMMANDS, command
        for script in re.findall(r"\.github/\w+\.py", text):
            assert (ROOT / script).is_file(), script

    def test_nothing_of_an_event_is_put_into_a_shell(self, path: Path) -> None:
        for job in _load(path)["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")


def test_the_same_checks_run_there_as_here() -> None:
    steps = _load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["steps"]
    assert steps[-1]["run"] == "python3 manage.py ci"


def test_updates_are_looked_for_where_versions_are_pinned() -> None:
    packages = _load(ROOT / ".github" / "workflows" / "packages.yml")
    assert packages["on"]["schedule"]
    assert "python3 manage.py lock --upgrade" in [
        step.get("run") for step in packages["jobs"]["lock"]["steps"]
    ]
    updates = _load(ROOT / ".github" / "dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == {
        *("github-actions", "docker", "docker-compose", "npm")
    }
