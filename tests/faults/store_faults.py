"""What the server of a store may do instead of answering."""

from tests.support import faulty_server as faults
from tests.support.faulty_server import Fault

FAULTS: dict[str, Fault] = {
    "accepts and never answers": faults.is_silent,
    "hangs up": faults.hangs_up,
    "resets in the middle of its answer": faults.resets_in_mid_answer,
    "does as told and loses the answer": faults.loses_the_answer,
    "sends its answer a byte at a time": faults.drips_the_body,
    "never ends its answer": faults.never_ends,
    "429": faults.answers(429, b"", b"Retry-After: 0"),
    "500": faults.answers(500),
    "503": faults.answers(503),
    "200 and nonsense": faults.answers(200, b"hello"),
    "200 and an error": faults.answers_an_sql_error("busy", "SQLITE_BUSY"),
    "BLOCKED": faults.answers_an_sql_error("over quota", "BLOCKED"),
    "no right": faults.answers(403),
}
