"""A file that stands where a table's active one belongs, and that nothing may be appended to.

It may be another program's, whose header is not ours. Or it is an active file of some time ago, out
of a backup: there is a sealed one that has its rows, and the name that it would be known by. So it
gets a name of its own.
"""

import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Final, Literal

from app.lib.tracelog.disk import exists
from app.lib.tracelog.journal.reader import first_id_in, is_foreign, sealed_path
from app.lib.tracelog.schema import Table

log = logging.getLogger("tracelog")

Intruder = Literal["foreign", "copy"]

_SAID: Final[dict[Intruder, str]] = {
    "foreign": "%s was another program's. It is %s from now on, and can be imported.",
    "copy": "%s was a copy of a sealed file. It is %s from now on, and is delivered once more.",
}


def look_at(path: Path, table: Table) -> tuple[int | None, Intruder | None]:
    """The id of the first row at `path`, and what else the file is than ours. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        first_id = first_id_in(file)
        if first_id is None:
            return None, "foreign" if is_foreign(file, table) else None
        with contextlib.suppress(FileNotFoundError):
            if not os.path.samestat(os.fstat(file.fileno()), sealed_path(path, first_id).stat()):
                return first_id, "copy"
        return first_id, None
    return None, None


def set_aside(path: Path, intruder: Intruder, row_id: int) -> bool:
    """Give it another name, one that no row begins with; `row_id` is new. Whether it worked."""
    if intruder == "copy":
        aside = sealed_path(path, row_id - 1)
    else:
        aside = path.with_name(f"{path.stem}.other-{secrets.token_hex(4)}.csv")
    try:
        if exists(aside):
            return False
        path.rename(aside)
    except OSError:
        return False
    log.warning(_SAID[intruder], path, aside.name)
    return True
