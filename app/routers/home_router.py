"""The front page."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.dependencies import CurrentUser
from app.templating import Template, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class HomePage(Template):
    template: ClassVar[str] = "home/home.html"


@router.get("/")
async def home(request: Request, user: CurrentUser) -> HTMLResponse:
    """What this is, and the way in."""
    return render(request, HomePage())
