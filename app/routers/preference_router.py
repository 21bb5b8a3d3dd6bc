"""Language and theme: kept in cookies, so that they hold without an account and from any page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.cookies import LANGUAGE, THEME, YEAR, set_cookie
from app.dependencies import SettingsDep
from app.i18n import LABELS
from app.security import return_path
from app.templating import THEMES, redirect

router = APIRouter(include_in_schema=False)


@router.post("/preferences")
async def set_preferences(
    request: Request,
    settings: SettingsDep,
    language: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
) -> Response:
    """Remember what was chosen and go back to the page it was chosen on."""
    response = redirect(request, return_path(request))
    if language in LABELS:
        set_cookie(response, settings, LANGUAGE, language, max_age=YEAR)
    if theme in THEMES:
        set_cookie(response, settings, THEME, theme, max_age=YEAR)
    return response
