"""The app's settings for a command, and the `.env` file they come from."""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress

from app.config import Settings
from app.config_errors import SettingsError, malformed
from app.lib.env_file import EnvFileError, read_env_file, strip_quotes, value_of
from commands.kit.environment import ROOT
from commands.kit.turn import in_turn
from commands.kit.words import Failure, say

ENV_FILE = ROOT / ".env"


def load_settings() -> Settings:
    """The settings, as the app itself will read them. Raises `Failure`."""
    try:
        return Settings.load()
    except SettingsError as error:
        raise Failure("settings", en=str(error), ja=error.ja) from None


def environment_has_it_all() -> bool:
    """Whether this is production with a key, or with code that is only to be read (a container)."""
    environment, key = (value_of(os.environ, name) for name in ("ENVIRONMENT", "SECRET_KEY"))
    return environment == "production" and (bool(key) or not os.access(ROOT, os.W_OK))


def provide_env_file() -> None:
    """Write `.env` where there is none, and a fresh `SECRET_KEY` where nothing else gives one."""
    if not ENV_FILE.exists() and environment_has_it_all():
        return
    with in_turn():
        _provide_env_file()


def _provide_env_file() -> None:
    if not ENV_FILE.exists():
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        _write(_with_key(example))
        say("wrote_env", file=sys.stderr)
        return
    try:
        values = read_env_file(ENV_FILE)
    except EnvFileError:
        return  # `load_settings` says what is wrong with it
    if not strip_quotes(os.environ.get("SECRET_KEY") or values.get("SECRET_KEY", "")):
        _write(_with_key(ENV_FILE.read_text(encoding="utf-8-sig")))
        say("wrote_key", file=sys.stderr)


def env_file_values() -> dict[str, str]:
    """What `.env` says. Raises `Failure`."""
    try:
        return {name: strip_quotes(value) for name, value in read_env_file(ENV_FILE).items()}
    except EnvFileError as error:
        told = malformed(error)
        raise Failure("settings", en=str(told), ja=told.ja) from None


def set_in_env_file(values: Mapping[str, str]) -> None:
    """Write settings into `.env`, each into its line where it has one."""
    text = ENV_FILE.read_text(encoding="utf-8-sig")
    for name, value in values.items():
        text = _with_line(text, name, value)
    _write(text)


def _with_key(text: str) -> str:
    """`text` with a new key."""
    return _with_line(text, "SECRET_KEY", secrets.token_urlsafe(48))


def _with_line(text: str, name: str, value: str) -> str:
    """`text` with this value in the line of a setting, or in one more line."""
    line = f"{name}={value}"
    lines = text.splitlines()
    places = [n for n, old in enumerate(lines) if old.lstrip().startswith(f"{name}=")]
    if places:
        lines[places[-1]] = line  # the last one is what counts
    else:
        lines.append(line)
    return "\n".join(lines) + "\n"


def _write(text: str) -> None:
    """Replace `.env` at once, readable by its owner only.

    Where it is a link, what that leads to is replaced and stays whose it is and as open as it is.
    """
    path = ENV_FILE.resolve()
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    if ENV_FILE.is_symlink() and path.exists():
        shutil.copymode(path, draft)
        with suppress(OSError):  # a file can be given away by root alone
            shutil.chown(draft, path.stat().st_uid, path.stat().st_gid)
    draft.replace(path)
