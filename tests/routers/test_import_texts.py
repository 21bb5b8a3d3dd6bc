"""What is said of jobs, in both languages."""

import pytest

from app.i18n import language
from app.models.job import Job
from app.routers.job_texts import outcome


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("en", ["1,200 items imported.", "1 was there already.", "2 rows were not right."]),
        (
            "ja",
            [
                "1,200 件をインポートしました。",
                "1 件はすでにありました。",
                "正しくない行が 2 行ありました。",
            ],
        ),
    ],
)
def test_what_came_of_an_import(code: str, texts: list[str]) -> None:
    result = {"rows": 1203, "good": 1201, "bad": 2, "inserted": 1200, "skipped": 1}
    job = Job(kind="Bulk_Import", status="done", result=result)

    assert outcome(language(code), job) == {"en": " ", "ja": ""}[code].join(texts)
