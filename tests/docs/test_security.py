"""docs/security.md tells how often something may be tried, and what the roles are called."""

import re

import pytest

from app.acting import SYSTEM_ROLE, USER_ROLE
from app.services import rate_limits
from app.services.rate_limits import Limit
from commands.kit.environment import ROOT

TOLD = {
    "security.md": r"(?P<times>\d+) in (?P<count>\d+) (?P<unit>min|h)",
    "security.ja.md": r"(?P<count>\d+) (?P<unit>分|時間)に (?P<times>\d+) 回",
}
SECONDS = {"min": 60, "分": 60, "h": 3600, "時間": 3600}


@pytest.mark.parametrize("name", TOLD)
def test_the_limits_are_those_of_the_code(name: str) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    told = [
        (int(each["times"]), int(each["count"]) * SECONDS[each["unit"]])
        for each in re.finditer(TOLD[name], text)
    ]
    limits = [each for each in vars(rate_limits).values() if isinstance(each, Limit)]
    assert sorted(told) == sorted((limit.times, limit.seconds) for limit in limits)


@pytest.mark.parametrize("name", TOLD)
def test_the_roles_are_those_of_the_code(name: str) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    assert f"CREATE ROLE {USER_ROLE}; CREATE ROLE {SYSTEM_ROLE};" in text
    assert f"GRANT {USER_ROLE}, {SYSTEM_ROLE} TO" in text
    assert {f"{USER_ROLE}`", f"{SYSTEM_ROLE}`"} <= set(re.findall(r"^\| `(\w+_\w+`)", text, re.M))
