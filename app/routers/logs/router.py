"""The router that all pages of the trace log are on; they are for administrators."""

from fastapi import APIRouter, Depends

from app.dependencies import admin_user

router = APIRouter(prefix="/logs", include_in_schema=False, dependencies=[Depends(admin_user)])
