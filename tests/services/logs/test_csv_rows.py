"""What is read out of the CSV files while the store is away."""

from pathlib import Path

from app.schemas.log import RequestFilter
from app.services.logs.csv_rows import csv_page
from tests.services.log_book import LogBook


def test_a_request_tells_that_a_step_of_its_trace_has_failed(tmp_path: Path) -> None:
    book = LogBook()
    for trace, status in (("good", "SUCCESS"), ("bad", "FAILED")):
        book.after(1).step("Order", "Pay", status, trace=trace, input_data="not FAILED")
        book.after(1).request(f"/{trace}", trace=trace)
    book.write_csv(tmp_path / "logs")

    page = csv_page(tmp_path / "logs", RequestFilter())

    assert [(r.endpoint, r.failed) for r in page.requests] == [("/bad", True), ("/good", False)]
