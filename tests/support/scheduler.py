"""How several processes share the tests: file by file, and what takes long begins first."""

from collections.abc import Iterable
from itertools import chain, zip_longest

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_PAGES = "tests/browser/"
_BUSY = ("tests/commands/", "tests/services/test_item_list.py", "tests/docs/")
_WAITING = ("tests/faults/", "tests/jobs/")


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
    """First the pages, then by turns what keeps a core busy and what waits, at last short files."""
    units: dict[str, list[pytest.Item]] = {}
    for item in items:
        units.setdefault(unit(item.nodeid), []).append(item)

    def those_of(places: tuple[str, ...]) -> list[str]:
        return [name for name in units if name.startswith(places)]

    mixed = filter(None, chain(*zip_longest(those_of(_BUSY), those_of(_WAITING))))
    names = dict.fromkeys([*those_of((_PAGES,)), *mixed, *units])
    return [item for name in names for item in units[name]]
