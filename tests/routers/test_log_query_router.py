"""Questions to the trace log as pages."""

import csv
import io
import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.logger import EnhancedCSVLogger
from app.lib.utils import utc_now
from app.routers import log_query_router
from app.services.ready_queries import READY_QUERIES
from benchmarks.explorer import weight
from tests.routers.conftest import Visit
from tests.routers.logs.conftest import JAPANESE, admin, app, keep, store_settings
from tests.services.log_book import LogBook

__all__ = ["admin", "app", "store_settings"]  # the app over both stores, and its administrator

NASTY = '=HYPERLINK("http://192.0.2.1")<script>alert(1)</script>\u202e'


@pytest.fixture
def filled(app: FastAPI) -> FastAPI:
    """Its log has two failed requests of a route, and one that went well."""
    book = LogBook(utc_now())
    for number in (1, 2):
        trace = f"3f2a1b9c-0000-4000-8000-00000000000{number}"
        book.after(5).step("Report", "Render", "FAILED", trace=trace, error_message=NASTY)
        book.after(5).request("/report", 500, trace=trace, duration=40, user=7)
    book.after(5).request("/items", 200, user=7)
    keep(app, book)
    return app


async def test_the_library_names_every_question_in_both_languages(admin: AsyncClient) -> None:
    english = await admin.get("/logs/queries")
    japanese = await admin.get("/logs/queries", headers=JAPANESE)

    assert english.status_code == japanese.status_code == 200
    for query in READY_QUERIES:
        assert f'href="/logs/queries/{query.key}"' in english.text
    assert "Which step broke" in english.text
    assert "Which step broke" not in japanese.text
    assert len(re.findall(r"/logs/queries/[a-z]", english.text)) == len(READY_QUERIES) >= 15


async def test_a_question_without_open_values_is_answered_at_once(
    filled: FastAPI, admin: AsyncClient
) -> None:
    page = await admin.get("/logs/queries/failed-steps-of-500s")

    assert page.status_code == 200
    assert "2 rows" in page.text
    assert 'href="/logs/traces/3f2a1b9c-0000-4000-8000-000000000002"' in page.text


async def test_a_question_with_open_values_waits_for_them(
    filled: FastAPI, admin: AsyncClient
) -> None:
    asked = await admin.get("/logs/queries/user-actions")
    wrong = await admin.get("/logs/queries/user-actions?user_id=Hana&hours=")
    answered = await admin.get("/logs/queries/user-actions?user_id=７&hours=２")

    assert "Please fill" not in asked.text
    assert "Please enter a whole number." in wrong.text
    assert "Please fill this in." in wrong.text
    assert "answer-heading" not in asked.text + wrong.text
    assert "3 rows" in answered.text


async def test_an_answer_is_shown_as_a_chart(filled: FastAPI, admin: AsyncClient) -> None:
    page = await admin.get("/logs/queries/busiest-users?view=chart")

    assert re.search(r'<rect width="100.0" height="10"', page.text)
    assert "<table" not in page.text


async def test_an_answer_comes_as_a_file_without_formulas(
    filled: FastAPI, admin: AsyncClient
) -> None:
    answer = await admin.get("/logs/queries/traces-with-error?words=HYPERLINK&view=csv")

    assert answer.headers["content-disposition"] == 'attachment; filename="traces-with-error.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["created_at", "task_name", "step_name", "error_message", "trace_id"]
    assert [row[3] for row in rows] == [f"'{NASTY}"] * 2


async def test_a_file_has_more_rows_than_a_page(
    filled: FastAPI, admin: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_query_router, "MOST_ROWS", 1)
    path = "/logs/queries/traces-with-error?words=HYPERLINK"

    page, file = await admin.get(path), await admin.get(f"{path}&view=csv")

    assert "the first ones only" in page.text
    assert page.text.count("HYPERLINK(") < file.text.count("HYPERLINK(")
    assert len(file.text.splitlines()) == 3


async def test_what_is_stored_is_shown_as_text(filled: FastAPI, admin: AsyncClient) -> None:
    page = await admin.get("/logs/queries/error-messages")

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


async def test_a_question_that_is_not_there_is_not_found(admin: AsyncClient) -> None:
    for path in ("nonsense", "saved/12", "saved/x"):
        assert (await admin.get(f"/logs/queries/{path}")).status_code in {404, 422}


async def test_the_console_asks_with_values_and_keeps_what_was_typed(
    filled: FastAPI, admin: AsyncClient
) -> None:
    sql = "SELECT endpoint FROM api_logs WHERE response_status = :status -- <i>"
    empty = await admin.get("/logs/console")
    waiting = await admin.get("/logs/console", params={"sql": sql})
    answered = await admin.get("/logs/console", params={"sql": sql, "status": "500"})

    assert "task_progress_logs" in empty.text
    assert "error_message" in empty.text, "the columns that can be asked for"
    assert "answer-heading" not in empty.text + waiting.text
    assert ":status" in waiting.text
    assert "-- &lt;i&gt;" in answered.text
    assert "2 rows" in answered.text


async def test_the_console_only_reads_and_says_so(filled: FastAPI, admin: AsyncClient) -> None:
    page = await admin.get("/logs/console", params={"sql": "DELETE FROM api_logs"})

    assert page.status_code == 422
    assert "Only questions can be asked" in page.text
    assert "log database says" not in page.text, "it was not asked"
    count = "SELECT 'reports: ' || count(*) FROM api_logs WHERE endpoint = '/report'"
    assert "reports: 2" in (await admin.get("/logs/console", params={"sql": count})).text


async def test_a_name_that_the_log_does_not_know_is_the_askers_to_mend(
    filled: FastAPI, admin: AsyncClient
) -> None:
    for sql, said in (
        ("SELECT * FROM requests", "no such table: requests"),
        ("SELECT path FROM api_logs", "no such column: path"),
    ):
        page = await admin.get("/logs/console", params={"sql": sql})
        assert page.status_code == 422
        assert "This question could not be answered." in page.text
        assert said in page.text


async def test_the_longest_answer_keeps_the_page_light_and_what_cannot_be_seen_is_shown(
    filled: FastAPI, admin: AsyncClient
) -> None:
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9999) SELECT i"
    wide = f"{count}, hex(randomblob(500)), hex(randomblob(50)), char(8238) || 'x' FROM n"
    narrow = f"{count}, date(i * 86400, 'unixepoch') FROM n"

    page = await admin.get("/logs/console", params={"sql": wide})

    assert weight(page.text) < 60_000
    assert 20 < page.text.count("<tr") < 500
    assert "the first ones only" in page.text
    assert "\\u202ex" in page.text
    page = await admin.get("/logs/console", params={"sql": narrow})
    assert page.text.count("<tr") == 501
    assert weight(page.text) < 60_000


async def test_a_link_from_another_site_asks_nothing(filled: FastAPI, admin: AsyncClient) -> None:
    page = await admin.get(
        "/logs/console",
        params={"sql": "SELECT 42 AS answer"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert page.status_code == 200
    assert "SELECT 42" in page.text
    assert "answer-heading" not in page.text


async def test_questions_are_saved_asked_again_and_deleted(
    filled: FastAPI, admin: AsyncClient
) -> None:
    sql = "SELECT count(*) AS requests FROM api_logs"
    unnamed = await admin.post("/logs/queries/saved", data={"sql": sql, "name": " "})
    assert unnamed.status_code == 422
    assert "Please give it a name" in unnamed.text

    saved = await admin.post("/logs/queries/saved", data={"sql": sql, "name": "件数 <b>"})
    assert saved.status_code == 303
    page = await admin.get(saved.headers["location"])
    assert "件数 &lt;b&gt;" in page.text
    assert "1 row" in page.text
    assert saved.headers["location"] in (await admin.get("/logs/queries")).text

    deleted = await admin.post(saved.headers["location"] + "/delete")
    assert deleted.headers["location"] == "/logs/queries"
    assert (await admin.get(saved.headers["location"])).status_code == 404


async def test_where_the_console_is_off_nothing_free_is_asked_or_saved(
    filled: FastAPI, admin: AsyncClient
) -> None:
    settings = filled.state.settings
    for how in ({"log_console": "off"}, {"environment": "production"}):
        filled.state.settings = settings.model_copy(update=how)
        assert (await admin.get("/logs/console?sql=SELECT+1")).status_code == 404
        sent = {"sql": "SELECT 1", "name": "one"}
        assert (await admin.post("/logs/queries/saved", data=sent)).status_code == 404
        assert "/logs/console" not in (await admin.get("/logs/queries")).text
    filled.state.settings = settings.model_copy(
        update={"log_console": "on", "environment": "production"}
    )
    assert (await admin.get("/logs/console?sql=SELECT+1")).status_code == 200


@pytest.mark.parametrize("path", ["/logs/queries", "/logs/queries/browsers", "/logs/console"])
async def test_only_administrators_ask(path: str, visit: Visit, client: AsyncClient) -> None:
    assert (await client.get(path)).status_code == 303
    assert (await (await visit("Hana")).get(path)).status_code == 403


async def test_without_an_answer_of_the_store_the_library_is_there_all_the_same(
    app: FastAPI, admin: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.lib.tracelog.store.store import StoreUnavailable

    class Away:
        name = "far.example.com"

        def query(self, *_args: object, **_more: object) -> None:
            raise StoreUnavailable("far.example.com: it did not answer in time.")

    monkeypatch.setattr(EnhancedCSVLogger, "store", Away())

    library = await admin.get("/logs/queries")
    answer = await admin.get("/logs/queries/browsers")

    assert library.status_code == 200
    assert "Which step broke" in library.text
    assert answer.status_code == 503
    assert "Nothing is lost" in library.text
    assert "Nothing is lost" in answer.text
