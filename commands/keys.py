"""Write keys for the Supabase Auth of docker-compose.yml into .env: its secret, and the two keys
that are tokens signed with it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt

from commands.kit.arguments import Arguments
from commands.kit.settings import env_file_values, provide_env_file, set_in_env_file
from commands.kit.words import Failure, say

_SIGNING: Final = "SUPABASE_JWT_SECRET"
_ROLES: Final = {"SUPABASE_PUBLISHABLE_KEY": "anon", "SUPABASE_SECRET_KEY": "service_role"}
_GOOD_FOR: Final = timedelta(days=3650)


def main(arguments: list[str]) -> int:
    """Keys that are there already stay: they may be those of a real project."""
    Arguments(prog="manage.py keys", description=__doc__).parse_args(arguments)
    provide_env_file()
    values = env_file_values()
    if there := [name for name in (_SIGNING, *_ROLES) if values.get(name)]:
        raise Failure("keys_there", names=", ".join(there))
    secret, now = secrets.token_urlsafe(48), datetime.now(UTC)
    claims = {"iss": "supabase", "iat": now, "exp": now + _GOOD_FOR}
    keys = {
        name: jwt.encode({**claims, "role": role}, secret, "HS256") for name, role in _ROLES.items()
    }
    set_in_env_file({_SIGNING: secret, **keys})
    say("wrote_keys", names=", ".join((_SIGNING, *_ROLES)))
    return 0
