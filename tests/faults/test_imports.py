"""An import survives whatever kills its process: no row is twice, none is missing."""

from pathlib import Path

import pytest

from tests.faults.imports import ImportFaults

KILLS = {"sqlite": 25, "postgres": 5}
SEED = 1518
"""Its first moments to kill lie evenly over an import; `manage.py faults` goes further."""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_an_import_goes_on_after_kills_at_any_moment(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    url: str = request.getfixturevalue(f"{kind}_database")

    rounds = list(ImportFaults(url, tmp_path, seed=SEED).run(KILLS[kind]))

    assert [problem for each in rounds for problem in each.wrong] == []
    assert sum(each.kills for each in rounds) == KILLS[kind]
    assert max(each.attempts for each in rounds) > 1
