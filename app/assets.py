"""Static files under names that carry their content's hash, so that browsers keep them for good.

`manage.py css` builds them into `static/dist` beside a manifest: {"app.css": "app.1a2b3c4d.css"}.
Beside each that is larger than an icon lies one in Brotli: "app.1a2b3c4d.css.br".
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIST: Final = Path(__file__).parent / "static" / "dist"
MANIFEST: Final = DIST / "manifest.json"


@cache
def manifest() -> dict[str, str]:
    """The built name of each asset."""
    names: dict[str, str] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return names


def asset_url(name: str) -> str:
    """Where browsers find an asset, such as `asset_url("app.css")`. Raises `KeyError`."""
    return f"/static/{manifest()[name]}"


_BROTLI: Final = re.compile(r"(?i)(?:^|,)\s*br\s*(?!;\s*q=0(?:\.0*)?\s*(?:,|$))(?:;|,|$)")


class HashedStaticFiles(StaticFiles):
    """Serves `static/dist`; what it serves never changes under its name."""

    def __init__(self) -> None:
        super().__init__(directory=DIST)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        path = Path(full_path)
        packed = path.with_name(f"{path.name}.br")
        if _takes_brotli(Headers(scope=scope)) and packed.is_file():
            response = super().file_response(packed, packed.stat(), scope, status_code)
            response.headers["Content-Encoding"] = "br"
            response.headers.add_vary_header("Accept-Encoding")
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = path.name in manifest().values()
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        return response


def _takes_brotli(headers: Headers) -> bool:
    return _BROTLI.search(headers.get("accept-encoding", "")) is not None
