"""The audit trail: what happened to accounts."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, UtcDateTime

EventKind = Literal[
    "signed_up",
    "email_confirmed",
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "signed_out_everywhere",
    "session_revoked",
    "password_reset",
    "password_changed",
    "email_changed",
    "second_factor_on",
    "second_factor_off",
    "second_factor_failed",
    "backup_code_used",
    "backup_codes_made",
    "token_made",
    "token_revoked",
    "provider_linked",
    "provider_unlinked",
    "role_changed",
    "disabled",
    "enabled",
    "log_viewed",
    "deleted",
]


class AccountEvent(Base):
    """Who did what to whose account, when, and under which trace id.

    No foreign keys: that an account was deleted is known after its row is gone.
    """

    __tablename__ = "account_events"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id)
    actor_id: Mapped[int | None] = mapped_column(Id)
    """Who did it; none where nobody was signed in."""
    kind: Mapped[EventKind] = mapped_column(String(30))
    detail: Mapped[str] = mapped_column(String(300), default="")
    """A word or two, such as the name of a token; never a secret."""
    ip_address: Mapped[str] = mapped_column(String(45), default="")
    trace_id: Mapped[str] = mapped_column(String(36), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
