"""What the CSV files of a log folder say."""

import csv
from pathlib import Path


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    path = folder / f"{table}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def steps(folder: Path) -> list[dict[str, str]]:
    return rows(folder, "task_progress_logs")
