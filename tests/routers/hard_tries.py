"""What tries many things on purpose needs: no limits, and to know what no page may show."""

import re
from typing import Final

INSIDE: Final = re.compile(r"Traceback|sqlalchemy|sqlite3|File &#34;|/site-packages/")


class Unlimited:
    """Lets all pass: here many things are tried, on purpose."""

    async def hit(self, limit: object, whom: str) -> None:
        pass
