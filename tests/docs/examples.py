"""The code in documents."""

from typing import Any

from commands.kit.environment import ROOT
from tests.docs.documents import read


def examples(name: str, language: str) -> list[str]:
    """The blocks of this language in a document that are no file's content."""
    blocks = read(ROOT / name).code
    return [code.text for code in blocks if code.language == language and not code.path]


def load(code: str, **names: object) -> dict[str, Any]:
    """The names that a block of Python defines."""
    defined: dict[str, Any] = dict(names)
    exec(code, defined)
    return defined
