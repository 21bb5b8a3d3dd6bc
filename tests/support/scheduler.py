"""How several processes share the tests: file by file, and what takes long begins first."""

from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_PAGES = "tests/browser/"
_LONG = ("tests/commands/", "tests/docs/", "tests/services/test_item_list.py")
_EARLY = (_PAGES, "tests/faults/", "tests/jobs/", *_LONG)


class Scheduler(LoadScopeScheduling):  # type: ignore[misc] # as above
    """Hands out units of tests in the order that they come in."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def unit(nodeid: str) -> str:
    """The tests that one process runs one after the other have the same.

    They are those of a file. Pages share a browser and an app, which two processes have.
    """
    file = nodeid.partition("::")[0]
    if file.startswith(_PAGES):
        return f"{_PAGES} {file < f'{_PAGES}test_i'}"
    return file


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """First the pages, which keep two processes busy; others wait beside them, short files last."""
    units: dict[str, list[pytest.Item]] = {}
    for item in items:
        units.setdefault(unit(item.nodeid), []).append(item)
    early = (name for place in _EARLY for name in units if name.startswith(place))
    return [item for name in dict.fromkeys([*early, *units]) for item in units[name]]
