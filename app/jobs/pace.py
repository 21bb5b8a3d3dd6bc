"""How fast a step is, also one that goes on where an earlier attempt at it was ended."""


class Pace:
    """Of one attempt. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._begun: tuple[int, float] | None = None

    def seconds(self, done: int, now: float) -> float:
        """How long all that is `done` takes at this attempt's pace; 0 while that is not known.

        What is done the first time this is asked has been done before.
        """
        if self._begun is None:
            self._begun = done, now
        before, began = self._begun
        return (now - began) * done / (done - before) if done > before else 0.0
