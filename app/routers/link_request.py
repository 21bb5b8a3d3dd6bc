"""Sending a link that was asked for, after the response has gone."""

from fastapi import Request

from app.database import Database
from app.models.one_time_token import LinkType
from app.outbox import Outbox
from app.services.account_service import LocalAccounts


async def request_link(request: Request, out: Outbox, link: LinkType, email: str) -> None:
    """Look the address up and write to it, in a transaction of its own."""
    state = request.app.state
    database: Database = state.database
    async with database.session() as session:
        accounts = LocalAccounts(session, state.logger, state.hasher, post=out.post)
        await accounts.request_link(link, email)
