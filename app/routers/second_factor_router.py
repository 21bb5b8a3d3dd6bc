"""The second factor: turn it on with a first code, make new backup codes, turn it off."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.cookies import SESSION, read_cookie
from app.dependencies import CurrentLogin, Fresh, Limits, SecondFactorDep, SessionServiceDep
from app.forms import Form, read_form
from app.models.user import User
from app.routers.account_pages import BackupCodesPage, SecondFactorPage, qr_code
from app.routers.browser_session import write_session
from app.services.errors import CodeInvalid
from app.services.rate_limits import CODE_BY_ACCOUNT
from app.services.second_factor import SecondFactor
from app.templating import Toast, language_of, redirect, render

router = APIRouter(prefix="/account/second-factor", include_in_schema=False)


@router.get("")
@router.get("/codes")
async def second_factor_page(request: Request, user: Fresh, factor: SecondFactorDep) -> Response:
    """Whether it is on; the key to set it up where it is not."""
    return render(request, await _page(user, factor, Form({"code": ""})))


@router.post("")
async def turn_on(
    request: Request,
    user: Fresh,
    login: CurrentLogin,
    factor: SecondFactorDep,
    sessions: SessionServiceDep,
    limits: Limits,
) -> Response:
    """Take the first code; then the backup codes are shown, this once."""
    _ = language_of(request).gettext
    await limits.hit(CODE_BY_ACCOUNT, str(user.id))
    try:
        codes = await factor.confirm(user, (await read_form(request)).get("code", ""))
    except CodeInvalid:
        form = Form({"code": ""}, {"code": _("This code is not right, or was used before.")})
        return render(request, await _page(user, factor, form), 422)
    # Whoever is signed in elsewhere never showed a second factor.
    await sessions.end_others(user.id, read_cookie(request, SESSION))
    on = Toast(_("The second factor is on. All other devices are signed out."))
    response = render(request, BackupCodesPage(codes), toast=on)
    if login is not None:
        write_session(request, response, await sessions.renew(login))
    return response


@router.post("/codes")
async def new_codes(request: Request, user: Fresh, factor: SecondFactorDep) -> Response:
    """New backup codes, shown this once."""
    if not user.has_second_factor:
        return redirect(request, "/account/second-factor")
    return render(request, BackupCodesPage(await factor.new_codes(user)))


@router.post("/off")
async def turn_off(request: Request, user: Fresh, factor: SecondFactorDep) -> Response:
    """From now on the password alone is enough."""
    await factor.off(user, actor_id=user.id)
    off = language_of(request).gettext("The second factor is off.")
    return redirect(request, "/account/second-factor", Toast(off, "info"))


async def _page(user: User, factor: SecondFactor, form: Form) -> SecondFactorPage:
    if user.has_second_factor:
        left = await factor.codes_left(user)
        return SecondFactorPage(is_on=True, codes_left=left, key="", qr_code="", form=form)
    key = await factor.begin(user)
    code = qr_code(factor.uri(user, key))
    return SecondFactorPage(is_on=False, codes_left=0, key=key, qr_code=code, form=form)
