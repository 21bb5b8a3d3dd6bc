"""Puts the parts together: `create_app` is the only place that knows them all."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from app import errors
from app.answered_errors import AnsweredErrors
from app.app_log import tell_untended
from app.assets import HashedStaticFiles
from app.client_address import ClientAddress, networks
from app.config import Settings
from app.cookies import SESSION, PlainCookies, cookie_name
from app.database import Database
from app.head_requests import HeadRequests
from app.jobs.engine import JobEngine
from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger, TraceLogger
from app.lib.secret_box import SecretBox
from app.lib.tracelog.capture.middleware import CaptureMiddleware, ExceptionNote
from app.mail import make_mailer
from app.product import NAME
from app.routers import ROUTERS
from app.routers.item_import_router import import_uploads
from app.routers.picture_files import picture_uploads
from app.security import CSRF, BodyLimit, HostCheck, SecurityHeaders
from app.services.logs.alert_watch import watch_alerts
from app.services.oauth.clients import Clients
from app.services.password_hasher import PasswordHasher
from app.services.rate_limits import make_rate_limits
from app.services.supabase_client import Supabase
from app.services.supabase_tokens import SupabaseTokens
from app.trace_log import make_logger, make_sampling

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 10.0
"""How long a shutdown waits for the trace log's delivery."""

COMPRESSION: Final = 6
"""gzip's level. 9, Starlette's own, takes a third longer for a hundredth less."""


class Application(FastAPI):
    """FastAPI with the middlewares that must stand outside even its own error handling."""

    def build_middleware_stack(self) -> ASGIApp:
        settings: Settings = self.state.settings
        logger: TraceLogger = self.state.logger
        stack: ASGIApp = PlainCookies(super().build_middleware_stack())
        if isinstance(logger, CSVOnlyLogger):
            stack = CaptureMiddleware(
                stack,
                logger.recorder,
                body_bytes=settings.log_body_bytes,
                html=settings.log_html,
                sampling=make_sampling(settings),
            )
        stack = SecurityHeaders(stack, https=settings.secure_cookies)
        stack = GZipMiddleware(stack, minimum_size=1000, compresslevel=COMPRESSION)
        stack = ClientAddress(stack, trusted=networks(settings.trusted_proxies))
        return AnsweredErrors(stack)


def create_app(settings: Settings | None = None, *, logger: TraceLogger | None = None) -> FastAPI:
    """The app. `settings` come from the environment unless given; so does the logger from them.

    Raises `app.config_errors.SettingsError`.
    """
    settings = settings or Settings.load()
    app = Application(
        title=NAME,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
        middleware=[
            Middleware(ExceptionNote),
            *_host_check(settings),
            Middleware(
                BodyLimit,
                max_bytes=settings.max_body_bytes,
                refuse=errors.error_response,
                larger=[picture_uploads(settings), import_uploads(settings)],
            ),
            Middleware(
                CSRF,
                public_origin=settings.public_origin,
                session_cookie=cookie_name(settings, SESSION),
                refuse=errors.error_response,
            ),
            Middleware(HeadRequests),
        ],
    )
    app.state.settings = settings
    app.state.database = Database(settings.database_url, seconds=settings.database_timeout)
    app.state.hasher = PasswordHasher()
    app.state.supabase = Supabase(settings) if settings.uses_supabase else None
    app.state.supabase_tokens = SupabaseTokens(settings) if settings.uses_supabase else None
    app.state.oauth_clients = Clients(settings)
    app.state.box = SecretBox(settings.secret_key.get_secret_value())
    app.state.mailer = make_mailer(settings)
    app.state.rate_limits = make_rate_limits(app.state.database, settings.rate_limit_factor)
    app.state.logger = logger or make_logger(settings, beside=True)
    app.state.jobs = JobEngine(settings, app.state.logger, app.state.mailer)
    app.state.routers = ROUTERS
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", HashedStaticFiles(), name="static")
    return app


def _host_check(settings: Settings) -> list[Middleware]:
    """In development the app is asked by whatever name its machine has."""
    if settings.environment != "production" or not settings.public_origin:
        return []
    origin = settings.public_origin
    return [Middleware(HostCheck, public_origin=origin, refuse=errors.error_response)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    logger = app.state.logger
    asyncio.get_running_loop().set_exception_handler(tell_untended)
    if names := app.state.settings.unquoted_names:
        log.warning("Dropped the quotes around %s; better leave them out.", ", ".join(names))
    if names := app.state.settings.misspelt_names:
        meant = ", ".join(f"{name} (meant {setting}?)" for name, setting in names.items())
        log.warning("Not a setting, and passed over: %s.", meant)
    if isinstance(logger, EnhancedCSVLogger):
        logger.start()
    jobs: JobEngine = app.state.jobs
    await run_in_threadpool(jobs.start)
    watch = asyncio.create_task(watch_alerts(app.state.settings, logger, app.state.box))
    try:
        yield
    finally:
        watch.cancel()
        await run_in_threadpool(jobs.stop)
        if isinstance(logger, CSVOnlyLogger):
            await run_in_threadpool(logger.close, DRAIN_SECONDS)
        if app.state.supabase is not None:
            await app.state.supabase.close()
            await app.state.supabase_tokens.close()
        await app.state.oauth_clients.close()
        await app.state.database.close()
