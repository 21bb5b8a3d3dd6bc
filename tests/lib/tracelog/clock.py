"""A monotonic clock that a test moves."""


class Clock:
    """Seconds; it stands still until `now` is changed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
