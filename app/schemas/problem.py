"""What programs get instead of an answer, as the API's document tells it."""

from typing import Any, Final

from pydantic import BaseModel


class Problem(BaseModel):
    """What went wrong. The trace id finds the request in the log."""

    detail: str
    trace_id: str


Answers = dict[int | str, dict[str, Any]]

PROBLEMS: Final[Answers] = {
    400: {"model": Problem, "description": "The body cannot be read."},
    401: {"model": Problem, "description": "Nobody is signed in."},
    403: {
        "model": Problem,
        "description": "The token may only read, or another site sent the request.",
    },
    413: {"model": Problem, "description": "The body is too large."},
    429: {"model": Problem, "description": "Too many tries; `Retry-After` says when to go on."},
    503: {
        "model": Problem,
        "description": "A service that is needed does not answer; `Retry-After` says when to ask.",
    },
}
"""What any route of the API may answer."""
