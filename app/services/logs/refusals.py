"""Which failures were refusals: the app said no, as it is made to, and nobody need mend it."""

# Only names out of the log's own tables are put into SQL text.
# ruff: noqa: S608

from typing import Final

from app.lib.tracelog.rollup.tables import ERROR_HITS, ERRORS
from app.lib.tracelog.schema import API_LOGS

_LOOKED_AT: Final = 10
"""So many of a group's newest failures are looked at."""

_REQUEST: Final = (
    f"FROM {API_LOGS} AS a WHERE a.trace_id = h.trace_id AND a.id > h.id ORDER BY a.id LIMIT 1"
)

REQUEST_OF_HIT: Final = f"(SELECT a.id {_REQUEST})"
"""The id of the request in which the failure `h` occurred: the next one of its trace to end.

There is none for what failed in a job or after the response.
"""

# 499 is no answer: there the client was gone.
_IS_OTHER: Final = f"coalesce((SELECT a.response_status {_REQUEST}), 0) NOT BETWEEN 400 AND 498"
_NEWEST: Final = (
    f"SELECT id, trace_id FROM {ERROR_HITS} WHERE fingerprint = {ERRORS}.fingerprint"
    f" ORDER BY id DESC LIMIT {_LOOKED_AT}"
)

REFUSED: Final = (
    f"(EXISTS ({_NEWEST}) AND NOT EXISTS (SELECT 1 FROM ({_NEWEST}) AS h WHERE {_IS_OTHER}))"
)
"""Whether each of the newest failures of a group had its request answered with a 4xx status."""
