"""Keeps forks out of the middle of an append: the child would have a half of it, and the lock."""

import os
import weakref
from typing import Protocol


class Held(Protocol):
    """Something that no fork may come in the middle of."""

    def before_fork(self) -> None:
        """Wait for the end of what other threads do with it, and keep them from more."""

    def after_fork_in_parent(self) -> None:
        """Let them go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew; there is one thread."""


_known: "weakref.WeakSet[Held]" = weakref.WeakSet()
_held: list[Held] = []


def hold_at_forks(thing: Held) -> None:
    """Have `thing` held at each fork while it lives."""
    _known.add(thing)


def _before() -> None:
    for thing in list(_known):
        thing.before_fork()
        _held.append(thing)


def _after_in_parent() -> None:
    while _held:
        _held.pop().after_fork_in_parent()


def _after_in_child() -> None:
    while _held:
        _held.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
