"""What a fork must not come in the middle of, and what a forked child needs anew."""

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """Something that a child process must not use as it was: locks, files, numbers."""

    def renew_after_fork(self) -> None:
        """Called in the child, before anything else runs there; it has one thread."""


class Held(Protocol):
    """Something of which a child would have a half, if another thread was in the middle of it."""

    def before_fork(self) -> None:
        """Wait for the end of what other threads do with it, and keep them from more."""

    def after_fork_in_parent(self) -> None:
        """Let them go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew; there is one thread."""


_renewed: "weakref.WeakSet[Renewable]" = weakref.WeakSet()
_held: "weakref.WeakSet[Held]" = weakref.WeakSet()
_held_now: list[Held] = []


def renew_after_forks(thing: Renewable) -> None:
    """Have `thing` renewed in each child that is forked while it lives."""
    _renewed.add(thing)


def hold_at_forks(thing: Held) -> None:
    """Have `thing` held at each fork while it lives."""
    _held.add(thing)


def _before() -> None:
    for thing in list(_held):
        thing.before_fork()
        _held_now.append(thing)


def _after_in_parent() -> None:
    while _held_now:
        _held_now.pop().after_fork_in_parent()


def _after_in_child() -> None:
    while _held_now:
        _held_now.pop().after_fork_in_child()


def _renew() -> None:
    for thing in list(_renewed):
        thing.renew_after_fork()


if hasattr(os, "register_at_fork"):
    # Apart, so that an exception in one leaves the other.
    os.register_at_fork(after_in_child=_renew)
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
