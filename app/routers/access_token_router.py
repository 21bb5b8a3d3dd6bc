"""Personal access tokens: make one, see which there are, revoke one."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.dependencies import Fresh, SignedIn, Tokens
from app.forms import Form, problems, read_form
from app.routers.account_pages import TokensPage
from app.schemas.account import NewAccessToken
from app.schemas.numbers import RowId
from app.templating import Toast, language_of, redirect, render

router = APIRouter(prefix="/account/tokens", include_in_schema=False)

_EMPTY = Form({"name": "", "scope": "read", "days": "30"})


@router.get("")
async def list_tokens(request: Request, user: SignedIn, tokens: Tokens) -> Response:
    """The tokens, and the form for a new one."""
    return render(request, TokensPage(await tokens.all_of(user.id), _EMPTY))


@router.post("")
async def make_token(request: Request, user: Fresh, tokens: Tokens) -> Response:
    """Make a token and show it, this once."""
    sent = await read_form(request)
    shown = {name: sent.get(name, "") for name in _EMPTY.values}
    try:
        wanted = NewAccessToken.model_validate(sent)
    except ValidationError as error:
        form = Form(shown, problems(request, error))
        return render(request, TokensPage(await tokens.all_of(user.id), form), 422)
    made = await tokens.make(user.id, wanted)
    return render(request, TokensPage(await tokens.all_of(user.id), _EMPTY, made))


@router.post("/{token_id}/revoke")
async def revoke_token(
    request: Request, user: SignedIn, tokens: Tokens, token_id: RowId
) -> Response:
    """From now on the token is good for nothing."""
    await tokens.revoke(user.id, token_id)
    revoked = language_of(request).gettext("The token is revoked.")
    return redirect(request, "/account/tokens", Toast(revoked, "info"))
