"""The trace log's parts as the settings describe them, for the app and for commands."""

from app.app_log import logging_config
from app.config import Settings
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.capture.sampling import Sampling
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.store.opening import open_store
from app.lib.tracelog.store.store import Store
from app.lib.tracelog.upkeep.retention import Rules


def make_logger(settings: Settings, *, beside: bool = False) -> EnhancedCSVLogger:
    """The logger. Nothing is opened or sent before it is used.

    `beside` lets a process of its own deliver where the settings want one.
    """
    return EnhancedCSVLogger(
        turso_url=settings.trace_store_url,
        turso_token=settings.turso_token.get_secret_value(),
        base_path=settings.log_dir,
        redactor=make_redactor(settings),
        rules=make_rules(settings),
        segment_bytes=settings.log_segment_bytes,
        fsync=settings.log_fsync,
        beside=beside and settings.delivers_beside,
        log_config=logging_config(settings),
    )


def make_store(settings: Settings) -> Store:
    """The store that the logger delivers to."""
    return open_store(settings.trace_store_url, settings.turso_token.get_secret_value())


def make_redactor(settings: Settings) -> Redactor:
    return Redactor(
        extra_keys=settings.log_redact_keys, extra_patterns=settings.log_redact_patterns
    )


def make_sampling(settings: Settings) -> Sampling | None:
    """What of the requests is left out; None where nothing is."""
    if not settings.log_sampling:
        return None
    return Sampling.parse(
        settings.log_sampling, settings.log_slow_ms, settings.secret_key.get_secret_value()
    )


def make_rules(settings: Settings) -> Rules:
    return Rules(
        days=settings.log_retention_days,
        error_days=settings.log_error_retention_days,
        store_bytes=settings.log_store_max_bytes,
        folder_bytes=settings.log_max_bytes,
    )
