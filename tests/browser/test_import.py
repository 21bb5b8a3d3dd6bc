"""A file is imported: chosen, mapped, watched, cancelled in a step and run again from there."""

import os
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.axe import violations
from tests.support.live_app import LiveApp

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform == "win32", reason="a step is held by a named pipe"),
]

CONTENT = "件名,メモ,状態,期限\nお茶を買う,緑茶,作業中,2026-11-05\n,件名なし,,\nCoffee,,done,\n"


def test_an_import_is_watched_cancelled_and_run_again(
    visit: Visit, live_app: LiveApp, tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    file.write_text(CONTENT, encoding="cp932")
    visitor = visit()
    before = folders(live_app)
    page = visitor.go("/items/import")
    page.get_by_label("A CSV file or an Excel workbook").set_input_files(file)
    page.get_by_role("button", name="Upload").click()

    # The columns are guessed from their names but for the description's; the preview follows.
    expect(page.get_by_role("cell", name="お茶を買う")).to_be_visible()
    page.get_by_label("Description").select_option(label="メモ")
    expect(page.get_by_role("cell", name="緑茶")).to_be_visible()
    assert violations(page) == []
    (folder,) = folders(live_app) - before
    pipe = folder / "good.part"
    os.mkfifo(pipe)  # the step that writes this file waits for a reader
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(f"{visitor.origin}/jobs")
    job = page.locator("#jobs li").first
    expect(job.get_by_role("progressbar")).to_be_visible()
    expect(job).to_contain_text("Running")
    expect(job.locator("li", has_text="Read")).to_have_count(1)
    assert violations(page) == []

    job.get_by_role("button", name="Cancel").click()
    expect(job).to_contain_text("is being cancelled")
    reader = threading.Thread(target=pipe.read_bytes)
    reader.start()
    expect(job).to_contain_text("Cancelled")
    reader.join()
    assert violations(page) == []

    job.get_by_role("button", name="Run again").click()
    expect(job.get_by_role("link", name="Download the rows that are not right")).to_be_visible()
    expect(job).to_contain_text("2 items imported. 1 row was not right.")
    job.locator("summary").click()
    steps = [step.split()[0] for step in job.locator("details li").all_inner_texts()]
    assert (len(steps), steps.count("Reading")) == (5, 1)  # its result was kept
    with page.expect_download() as bad:
        job.get_by_role("link", name="Download the rows that are not right").click()
    assert "件名なし" in Path(bad.value.path()).read_text(encoding="utf-8-sig")
    page = visitor.go("/items")
    for title in ("お茶を買う", "Coffee"):
        expect(page.get_by_role("main")).to_contain_text(title)


def folders(app: LiveApp) -> set[Path]:
    """Where the files of imports are."""
    return set((app.folder / "data" / "files" / "imports").glob("*"))
