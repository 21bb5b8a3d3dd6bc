"""Takes away the files of imports."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.jobs.schedules import scheduled
from app.models.item_import import ItemImport
from app.models.job import ENDED, Job
from app.services.imports.folder import remove_old_folders


@scheduled("Import_Clean_Up", "47 * * * *")
def delete_imports(database: Engine, settings: Settings) -> dict[str, int]:
    """Delete files of imports that were kept for long enough, unless one goes on."""
    with Session(database) as session, session.begin():
        going_on = session.scalars(
            select(ItemImport.key)
            .join(Job, Job.id == ItemImport.job_id)
            .where(Job.status.not_in(ENDED))
        ).all()
    return {"imports": remove_old_folders(settings.files_dir, but=going_on)}
