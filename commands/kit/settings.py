"""The app's settings for a command, and the `.env` file they come from."""

import os
import secrets

from app.config import Settings
from app.config_errors import SettingsError
from app.lib.env_file import EnvFileError, read_env_file, strip_quotes
from commands.kit.environment import ROOT
from commands.kit.words import Failure, say

ENV_FILE = ROOT / ".env"

_KEY_LINE = "SECRET_KEY="


def load_settings() -> Settings:
    """The settings, as the app itself will read them. Raises `Failure`."""
    try:
        return Settings.load()
    except SettingsError as error:
        raise Failure("settings", en=str(error), ja=error.ja) from None


def provide_env_file() -> None:
    """Write `.env` where there is none, and a fresh `SECRET_KEY` where nothing else gives one."""
    if not ENV_FILE.exists():
        if _environment_has_it_all():
            return
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        _write(_with_key(example))
        say("wrote_env")
        return
    try:
        values = read_env_file(ENV_FILE)
    except EnvFileError:
        return  # `load_settings` says what is wrong with it
    if not strip_quotes(os.environ.get("SECRET_KEY") or values.get("SECRET_KEY", "")):
        _write(_with_key(ENV_FILE.read_text(encoding="utf-8-sig")))
        say("wrote_key")


def _environment_has_it_all() -> bool:
    """Whether this is production with a key, or with code that is only to be read (a container)."""
    environment, key = (
        strip_quotes(os.environ.get(name, "")) for name in ("ENVIRONMENT", "SECRET_KEY")
    )
    return environment == "production" and (bool(key) or not os.access(ROOT, os.W_OK))


def _with_key(text: str) -> str:
    """`text` with a new key in its `SECRET_KEY` line, or in one more line."""
    key = _KEY_LINE + secrets.token_urlsafe(48)
    lines = text.splitlines()
    places = [n for n, line in enumerate(lines) if line.lstrip().startswith(_KEY_LINE)]
    if places:
        lines[places[-1]] = key  # the last one is what counts
    else:
        lines.append(key)
    return "\n".join(lines) + "\n"


def _write(text: str) -> None:
    """Replace `.env` at once, readable by its owner only."""
    draft = ENV_FILE.with_name(".env.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    draft.replace(ENV_FILE)
