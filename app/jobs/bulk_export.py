"""Writes a list of items into a file, however long it is."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.database import Database
from app.jobs.kinds import job
from app.jobs.running import RunningJob
from app.lib.table_files import Kind, open_table
from app.schemas.item import ItemFilter
from app.services import item_export
from app.services.item_list import ItemList
from app.services.job_files import JobFiles


@job("Bulk_Export", at_once=1, per_user=1)
def export_items(
    running: RunningJob, kind: Kind, name: str, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the list `wanted`, an `ItemFilter`, as a file of `kind`; `name` is for its download."""
    items = ItemFilter.model_validate(wanted)
    files = JobFiles(running.settings.files_dir)

    def count() -> int | None:
        return asyncio.run(_count(running, items))

    def write(total: int | None) -> dict[str, int]:
        files.sweep()
        draft = files.draft(running.id)
        try:
            rows = asyncio.run(_write(running, kind, items, draft, total))
            return {"rows": rows, "bytes": files.keep(running.id)}
        finally:
            draft.unlink(missing_ok=True)

    total = running.step("DB_Count", count)
    return running.step("Write_File", write, total) | {"file": name}


async def _count(running: RunningJob, wanted: ItemFilter) -> int | None:
    database = Database(running.settings.database_url)
    try:
        async with database.session(running.user_id) as session:
            return await item_export.count(session, running.user_id, wanted)
    finally:
        await database.close()


async def _write(
    running: RunningJob, kind: Kind, wanted: ItemFilter, path: Path, total: int | None
) -> int:
    """Write the file, all of it as the list was at one moment; how many items it has."""
    database, rows = Database(running.settings.database_url), 0
    try:
        async with item_export.snapshot(database, running.user_id) as session:
            read = ItemList(session, running.user_id).page
            with open_table(kind, path, item_export.COLUMNS) as table:
                async for page in item_export.pages(read, wanted):
                    table.add(map(item_export.record, page))
                    rows += len(page)
                    running.progress(rows, total)
                running.check()  # the last moment at which it can be cancelled
    finally:
        await database.close()
    return rows
