"""Reading `.env` the way Docker's `--env-file` does, so that one file serves both.

A line is `NAME=value`, a bare `NAME` (its value then comes from the environment), a comment that
starts with `#`, or blank. Nothing is expanded or unescaped, and what follows `=` is the value, to
the end of the line.
"""

import re
from collections.abc import Mapping
from pathlib import Path

_QUOTES = ('"', "'")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_CONTROL = re.compile(r"[\x01-\x08\x0a-\x1f\x7f]")


class EnvFileError(Exception):
    """A line, or the whole file, cannot be read.

    `problem` names what is wrong: `folder`, `unreadable`, `encoding`, `no-name`, `bad-name`,
    `no-equals`, `open-quote` or `control`. `line` counts from 1 and is 0 where the whole file is
    meant. The line's text is not kept, because it may hold a secret.
    """

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}, line {line}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


def read_env_file(path: Path) -> dict[str, str]:
    """Return the file's values as Docker passes them on, quotes included; {} for no file.

    Raises `EnvFileError`.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise EnvFileError(path, 0, "encoding") from None
    except OSError:
        raise EnvFileError(path, 0, "folder" if path.is_dir() else "unreadable") from None
    if "\0" in text:
        raise EnvFileError(path, 0, "encoding")  # UTF-16 without its mark
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        name, equals, value = line.removesuffix("\r").lstrip().partition("=")
        if (name == "" and equals == "") or name.startswith("#"):
            continue
        if problem := _problem(name, equals, value):
            raise EnvFileError(path, number, problem)
        if equals:
            values[name] = value
    return values


def strip_quotes(value: str) -> str:
    """Return `value` without blanks around it and without the pair of quotes that encloses it."""
    value = value.strip()
    if len(value) >= 2 and value[0] in _QUOTES and value[-1] == value[0]:
        return value[1:-1]
    return value


def value_of(environ: Mapping[str, str], name: str) -> str:
    """A variable's value without quotes; where it has none, that of `DEFAULT_` and its name.

    An image has its defaults there: an empty `HOST=` of `docker run --env-file` would replace one
    of the variable's own name.
    """
    return strip_quotes(environ.get(name, "")) or strip_quotes(environ.get(f"DEFAULT_{name}", ""))


def _problem(name: str, equals: str, value: str) -> str:
    if name == "":
        return "no-name"
    if not _NAME.fullmatch(name):
        return "bad-name" if equals else "no-equals"
    if _CONTROL.search(value):
        return "control"
    value = value.strip()
    if value.startswith(_QUOTES) and strip_quotes(value) == value:
        return "open-quote"
    return ""
