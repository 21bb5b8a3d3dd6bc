"""HTTP in, HTML or JSON out."""

from typing import Final

from fastapi import APIRouter

from app.routers import (
    access_token_router,
    account_router,
    dev_mail_router,
    docs_router,
    health_router,
    home_router,
    item_api_router,
    item_export_router,
    item_import_router,
    item_router,
    job_router,
    log_query_router,
    log_router,
    oauth_router,
    picture_api_router,
    picture_router,
    preference_router,
    refinement_router,
    second_factor_router,
    sign_in_router,
    sign_up_router,
    user_admin_router,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    health_router.router,
    home_router.router,
    item_export_router.router,
    item_import_router.router,
    item_router.router,
    refinement_router.router,
    item_api_router.router,
    picture_router.router,
    picture_api_router.router,
    job_router.router,
    log_router.router,
    log_query_router.router,
    preference_router.router,
    sign_in_router.router,
    sign_up_router.router,
    oauth_router.router,
    account_router.router,
    second_factor_router.router,
    access_token_router.router,
    user_admin_router.router,
    dev_mail_router.router,
    docs_router.router,
)
"""All of the app's routes, in the order in which they are tried: the busy ones first."""
