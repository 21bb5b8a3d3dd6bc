"""Static files under names that carry their content's hash, so that browsers keep them for good.

`manage.py css` builds them into `static/dist` beside a manifest: {"app.css": "app.1a2b3c4d.css"}.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Final

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
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = Path(full_path).name in manifest().values()
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        return response
