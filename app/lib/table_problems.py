"""What readers of tables have in common: rows, limits, and why a file is refused."""

from dataclasses import dataclass

Row = tuple[int, list[str]]
"""A row's number as a spreadsheet counts, from 1, and its cells. Empty rows are passed over."""


class TableProblem(Exception):
    """A file cannot be read as a table; `code` says why, and `values` what belongs to it."""

    def __init__(self, code: str, **values: int) -> None:
        super().__init__(" ".join([code, *(f"{name}={value}" for name, value in values.items())]))
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class TableLimits:
    """The most that is taken: rows with a content, columns, and bytes once it is unpacked."""

    rows: int
    columns: int
    unpacked_bytes: int
