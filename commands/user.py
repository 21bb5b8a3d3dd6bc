"""Users: list them, add one, make one an administrator, let one in again who lost something."""

import secrets
from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.forms import sentence_in
from app.i18n import language as in_language
from app.lib.logger import NullLogger
from app.lib.secret_box import SecretBox
from app.models.login_session import LoginSession
from app.models.user import Role, User
from app.schemas.account import SignUp, normalize_email
from app.services.account_events import AccountEvents
from app.services.account_service import LocalAccounts
from app.services.errors import EmailTaken
from app.services.password_hasher import PasswordHasher
from app.services.second_factor import SecondFactor
from commands.kit import checks
from commands.kit.arguments import Arguments
from commands.kit.database import migrate, transact
from commands.kit.settings import load_settings
from commands.kit.words import Failure, language, say


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    parser = Arguments(prog="manage.py user", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="all users, oldest first")
    add = actions.add_parser("add", help="a new user, with a password that is printed once")
    add.add_argument("--name", help="how the app calls them; otherwise from the address")
    add.add_argument("--admin", action="store_true", help="make them an administrator")
    admin = actions.add_parser("make-admin", help="give a user the rights of an administrator")
    reset = actions.add_parser("reset", help="a new password, printed once; ends all sign-ins")
    lost = actions.add_parser(
        "second-factor-off", help="for whoever lost theirs; ends all sign-ins"
    )
    for action in (add, admin, reset, lost):
        action.add_argument("email")
    options = parser.parse_args(arguments)

    settings = load_settings()
    checks.check_folders(checks.folders_at_start(settings))
    checks.check_database(settings)
    migrate(settings)
    match options.action:
        case "list":
            for user in transact(settings, _all):
                print(f"{user.id:>6}  {user.role:<5}  {user.email}  {user.name}")
        case "add":
            _add(settings, options.email, options.name, "admin" if options.admin else "user")
        case "make-admin":
            _make_admin(settings, options.email)
        case "reset":
            _reset(settings, options.email)
        case "second-factor-off":
            _turn_off_second_factor(settings, options.email)
    return 0


def new_password() -> str:
    """A password that nobody guesses and anybody can type."""
    return secrets.token_urlsafe(12)


async def _all(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(select(User).order_by(User.id))).all()


def _add(settings: Settings, email: str, name: str | None, role: Role) -> None:
    try:
        wanted = SignUp(email=email, name=name or email.partition("@")[0], password=new_password())
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        reason = sentence_in(in_language(language()), problem["type"], problem.get("ctx") or {})
        raise Failure("user_invalid", value=problem["input"], reason=reason) from None

    async def add(session: AsyncSession) -> None:
        hasher = PasswordHasher()
        accounts = LocalAccounts(session, NullLogger(), hasher)
        try:
            await accounts.add(wanted.email, wanted.name, await hasher.hash(wanted.password), role)
        except EmailTaken:
            raise Failure("user_exists", email=wanted.email) from None

    transact(settings, add)
    say("user_added", email=wanted.email, role=role, password=wanted.password)


def _make_admin(settings: Settings, email: str) -> None:
    async def make_admin(session: AsyncSession) -> None:
        (await _find(session, email)).role = "admin"

    transact(settings, make_admin)
    say("user_is_admin", email=normalize_email(email))


def _reset(settings: Settings, email: str) -> None:
    password = new_password()

    async def reset(session: AsyncSession) -> None:
        user = await _find(session, email)
        user.password_hash = await PasswordHasher().hash(password)
        await _sign_out(session, user)

    transact(settings, reset)
    say("user_reset", email=normalize_email(email), password=password)


def _turn_off_second_factor(settings: Settings, email: str) -> None:
    async def turn_off(session: AsyncSession) -> None:
        user = await _find(session, email)
        box = SecretBox("")  # what it opens is not asked for
        await SecondFactor(session, box, AccountEvents(session)).off(user, actor_id=None)
        await _sign_out(session, user)

    transact(settings, turn_off)
    say("user_second_factor_off", email=normalize_email(email))


async def _sign_out(session: AsyncSession, user: User) -> None:
    """End all sign-ins: they may be those of somebody else."""
    await session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


async def _find(session: AsyncSession, email: str) -> User:
    user = await session.scalar(select(User).where(User.email == normalize_email(email)))
    if user is None:
        raise Failure("user_unknown", email=email)
    return user
