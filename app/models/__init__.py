"""The tables. Importing this package knows them all."""

from app.models.base import Base
from app.models.gram_zones import GramZones
from app.models.item import Item
from app.models.job import Job, JobWorker
from app.models.login_session import LoginSession
from app.models.user import User

__all__ = ["Base", "GramZones", "Item", "Job", "JobWorker", "LoginSession", "User"]
