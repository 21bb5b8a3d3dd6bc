"""Names that are almost a setting's: mistyped, they would be passed over as other programs' are."""

from collections.abc import Iterable


def misspelt(names: Iterable[str], settings: Iterable[str]) -> dict[str, str]:
    """Those of `names` that are next to one of `settings`, with the nearest."""
    found: dict[str, str] = {}
    known = sorted(settings)
    for name in sorted(set(names).difference(known)):
        near = [(away, setting) for setting in known if (away := _away(name.upper(), setting)) >= 0]
        if near:
            found[name] = min(near)[1]
    return found


def _away(name: str, setting: str) -> int:
    """How many slips lie between them, or -1 for more than make sense in a name of this length."""
    most = 1 if len(setting) < 7 else 2
    # Each slip brings one new character and takes one away at most.
    if abs(len(name) - len(setting)) > most or len(set(name) ^ set(setting)) > 2 * most:
        return -1
    slips = _distance(name, setting)
    return slips if slips <= most else -1


def _distance(one: str, other: str) -> int:
    """Characters to add, drop, replace, or swap with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one):
        before, above, row = row, before, [i + 1]
        for j, b in enumerate(other):
            slips = min(before[j + 1] + 1, row[j] + 1, before[j] + (a != b))
            if i and j and (a, one[i - 1]) == (other[j - 1], b):
                slips = min(slips, above[j - 1] + 1)
            row.append(slips)
    return row[-1]
