"""Whether the app in this container answers: `python -m commands.kit.health` ends with 0 or 1.

Standard library only, and `/healthz` only: it runs every few seconds.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

from app.lib.env_file import value_of

_SECONDS = 4


def main() -> int:
    port = int(value_of(os.environ, "PORT") or 8000)
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return int(connection.getresponse().status != 200)
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
