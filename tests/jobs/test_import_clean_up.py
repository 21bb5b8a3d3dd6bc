"""Files of imports go once nobody needs them."""

import os
import time
from pathlib import Path

from sqlalchemy import Engine, select, update

from app.config import Settings
from app.database import Database
from app.jobs.import_clean_up import delete_imports
from app.lib.table_source import TableShape
from app.models.item_import import ItemImport
from app.models.job import Job
from app.models.user import User
from app.services.imports.folder import FILES_KEPT, ImportFolder
from app.services.imports.import_service import ImportService, UploadedTable
from app.services.job_service import JobService


async def test_files_of_imports_go_after_a_day_unless_one_goes_on(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    settings = Settings(files_dir=tmp_path)
    folders = {}
    async with database.system_session() as session:
        session.add(user := User(email="hana@example.com", name="Hana", role="user"))
        await session.flush()
        for status in ("running", "failed", None, "new"):
            key, folders[status] = ImportFolder.new(tmp_path)
            table = UploadedTable(key, "items.csv", 4, TableShape("csv"), [["Tea"]])
            _, _ = await ImportService(session, user.id).add(table)
            if status in {"running", "failed"}:
                job = await JobService(session, user.id).queue("Bulk_Import", "items.csv", {})
                await session.execute(update(Job).where(Job.id == job.id).values(status=status))
                found = await session.scalar(select(ItemImport).where(ItemImport.key == key))
                assert found is not None
                found.job_id = job.id
            if status != "new":
                long_ago = time.time() - FILES_KEPT.total_seconds() - 60
                os.utime(folders[status].path, (long_ago, long_ago))

    assert delete_imports(engine, settings) == {"imports": 2}

    assert [status for status, folder in folders.items() if folder.path.exists()] == [
        "running",
        "new",
    ]
