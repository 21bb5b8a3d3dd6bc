"""What a forked child needs anew: locks that another thread may have held, files, numbers."""

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """Something that a child process must not use as it was."""

    def renew_after_fork(self) -> None:
        """Called in the child, before anything else runs there; it has one thread."""


_known: "weakref.WeakSet[Renewable]" = weakref.WeakSet()


def renew_after_forks(thing: Renewable) -> None:
    """Have `thing` renewed in each child that is forked while it lives."""
    _known.add(thing)


def _renew() -> None:
    for thing in list(_known):
        thing.renew_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
