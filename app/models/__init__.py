"""The tables. Importing this package knows them all."""

from app.models.access_token import AccessToken
from app.models.account_event import AccountEvent
from app.models.backup_code import BackupCode
from app.models.base import Base
from app.models.gram_zones import GramZones
from app.models.item import Item
from app.models.item_import import ItemImport
from app.models.item_pack import ItemPack, ItemPosting
from app.models.job import Job, JobWorker
from app.models.login_session import LoginSession
from app.models.oauth_identity import OAuthIdentity
from app.models.one_time_token import OneTimeToken
from app.models.picture import DroppedPicture, Picture
from app.models.rate_limit import RateLimit
from app.models.refinement import AiUsage, Refinement
from app.models.user import User

__all__ = [
    "AccessToken",
    "AccountEvent",
    "AiUsage",
    "BackupCode",
    "Base",
    "DroppedPicture",
    "GramZones",
    "Item",
    "ItemImport",
    "ItemPack",
    "ItemPosting",
    "Job",
    "JobWorker",
    "LoginSession",
    "OAuthIdentity",
    "OneTimeToken",
    "Picture",
    "RateLimit",
    "Refinement",
    "User",
]
