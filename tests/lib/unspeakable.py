"""What raises when somebody looks at it or prints it."""

from typing import NoReturn


class Mute(Exception):
    """An exception that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unprintable(Exception):
    """Whoever prints it asks for this, and fails."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override] # and so is foreign code
        raise RuntimeError("no notes")


class Unreadable(dict[str, object]):
    def items(self) -> NoReturn:
        raise Mute
