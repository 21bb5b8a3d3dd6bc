"""Takes away items for good, once their deletion cannot be undone any more."""

from typing import Final

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.jobs.schedules import scheduled
from app.lib.utils import utc_now
from app.models.item import Item
from app.services.item_packs import empty_packs
from app.services.item_service import KEPT_AFTER_DELETION

_AT_ONCE: Final = 500


@scheduled("Item_Clean_Up", "37 3 * * *")
def purge_items(database: Engine, _settings: Settings) -> dict[str, int]:
    """Purge what was deleted 30 days ago; of a user who deletes again that goes then."""
    old = select(Item.id).where(Item.deleted_at < utc_now() - KEPT_AFTER_DELETION).limit(_AT_ONCE)
    count = 0
    while True:
        with Session(database) as session, session.begin():
            gone = session.scalars(delete(Item).where(Item.id.in_(old)).returning(Item.id)).all()
        count += len(gone)
        if len(gone) < _AT_ONCE:
            break
    with Session(database) as session, session.begin():
        return {"items": count, "packs": empty_packs(session)}
