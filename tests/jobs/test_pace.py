"""The time that is left is told from this attempt's pace alone."""

from app.jobs.pace import Pace


def test_what_an_earlier_attempt_has_done_makes_a_step_no_faster() -> None:
    pace = Pace()

    assert pace.seconds(900, now=50.0) == 0
    assert pace.seconds(900, now=51.0) == 0
    assert pace.seconds(910, now=60.0) == 910


def test_a_step_from_its_beginning_takes_what_it_takes() -> None:
    pace = Pace()
    pace.seconds(0, now=50.0)

    assert pace.seconds(300, now=53.0) == 3
