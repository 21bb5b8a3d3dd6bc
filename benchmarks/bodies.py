"""What the benchmarks of the trace log send: a request's body of 1 KB."""

from typing import Final

import orjson

_TITLES: Final = ("買い物リスト", "週末の予定", "Things to read", "旅行の準備", "Weekly report")
_NOTES: Final = ("for the weekend", "来週までに", "ask Hanako first", "駅前の店で", "no hurry")


def body(number: int) -> bytes:
    """The JSON of a request, 1 KB, another for each number."""
    items = [
        {
            "id": number * 12 + n,
            "title": f"{_TITLES[(number + n) % 5]} {number % 977}",
            "status": "done" if (number + n) % 3 else "todo",
            "note": f"{_NOTES[(number * 7 + n) % 5]} {n}",
        }
        for n in range(12)
    ]
    return orjson.dumps({"items": items})
