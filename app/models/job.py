"""Long pieces of work, and the processes that do them."""

from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, UtcDateTime

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
JOB_STATUSES: Final[tuple[JobStatus, ...]] = get_args(JobStatus)
ENDED: Final[tuple[JobStatus, ...]] = ("done", "failed", "cancelled")

_GOING_ON = text("status IN ('queued', 'running')")


class Job(Base):
    """One job of one user. Whoever queues it inserts it, and so a rollback takes it back."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {JOB_STATUSES}", name="status"),
        Index(None, "user_id", "created_at", "id"),
        Index(
            "ix_jobs_going_on",
            "status",
            "handed_over",
            sqlite_where=_GOING_ON,
            postgresql_where=_GOING_ON,
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """A UUID; the engine's workflow has the same."""
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(50))
    """The name of its task in the trace log."""
    title: Mapped[str] = mapped_column(String(200))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[JobStatus] = mapped_column(String(10))
    handed_over: Mapped[bool]
    """Whether the engine has it."""
    cancel: Mapped[bool]
    """Whether somebody wants it to end."""
    attempt: Mapped[int]
    """How often it was begun; who runs an older attempt must not write any more."""
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What was done so far, in order: `name`, `attempt`, `began_at`, `ended_at`, `status`."""
    step: Mapped[str] = mapped_column(String(50))
    step_number: Mapped[int]
    """Of the step that runs or failed, from 1."""
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    """Of the step, where it is known."""
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """`code` and `values` of what went wrong."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    trace_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    step_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the step began; or would have, had this attempt at it done all that is done."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When its step, progress or status was noted last."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JobWorker(Base):
    """A process that runs jobs. One that has not been seen for some seconds is dead."""

    __tablename__ = "job_workers"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
