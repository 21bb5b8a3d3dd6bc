"""What can be shown of the app, to be looked at there."""

from collections.abc import Callable

from tests.browser.conftest import Visitor

Show = Callable[[Visitor], None]


def opened(path: str) -> Show:
    """The page at `path`, as it opens."""

    def show(visitor: Visitor) -> None:
        visitor.go(path)

    return show
