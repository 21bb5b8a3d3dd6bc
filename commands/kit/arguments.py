"""The arguments of a command, explained in the person's language. Standard library only."""

import argparse
import gettext
import re

from commands.kit.explanations import (
    ARGPARSE_IN_JAPANESE,
    ARGUMENTS_IN_JAPANESE,
    COMMANDS_IN_JAPANESE,
)
from commands.kit.words import columns, language


def _own_words(english: str) -> str:
    """What `argparse` itself says."""
    if language() == "ja" and english in ARGPARSE_IN_JAPANESE:
        return ARGPARSE_IN_JAPANESE[english]
    return gettext.gettext(english)


# It asks gettext by this name, and gettext takes nothing but compiled files.
argparse._ = _own_words  # type: ignore[attr-defined]


class _Explanation(argparse.RawDescriptionHelpFormatter):
    """What says more than one line keeps its lines."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        english = action.help or ""
        if language() != "ja":
            return english
        name = f"{_name(self._prog)} {action.dest}"  # where it is an action of the command
        return COMMANDS_IN_JAPANESE.get(name) or ARGUMENTS_IN_JAPANESE.get(english, english)

    def _split_lines(self, text: str, width: int) -> list[str]:
        if language() != "ja":
            return super()._split_lines(text, width)
        # There are no spaces to break a line at, and letters are twice as wide.
        lines = [""]
        for word in re.findall(r"（?(?:[!-~]+|.)[、。）]*", text):
            if columns(lines[-1] + word) > width:
                lines.append("")
            lines[-1] = (lines[-1] + word).lstrip()
        return lines


def _name(prog: str | None) -> str:
    return (prog or "").removeprefix("manage.py ")


class Arguments(argparse.ArgumentParser):
    """The parser of a command; `prog` is `manage.py NAME`.

    Everything is given in English, and has its Japanese in `explanations.py`.
    """

    def __init__(
        self, prog: str | None = None, description: str | None = None, **options: object
    ) -> None:
        options.setdefault("formatter_class", _Explanation)
        if description and language() == "ja":
            description = COMMANDS_IN_JAPANESE.get(_name(prog), description)
        super().__init__(prog, description=description, **options)  # type: ignore[arg-type]
