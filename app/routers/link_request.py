"""Sending a link that was asked for, after the response has gone."""

from fastapi import Request

from app.database import Database
from app.dependencies import client_ip, make_accounts
from app.models.one_time_token import LinkType
from app.outbox import Outbox
from app.services.account_events import AccountEvents
from app.services.errors import ServiceError
from app.services.rate_limits import TooMany


async def request_link(request: Request, out: Outbox, link: LinkType, email: str) -> None:
    """Look the address up and write to it, in a transaction of its own.

    What goes wrong is a failed step in the trace log: the reader was told the same in any case.
    """
    database: Database = request.app.state.database
    try:
        async with database.session() as session:
            events = AccountEvents(session, ip=client_ip(request))
            await make_accounts(request.app, session, events, out).request_link(link, email)
    except (ServiceError, TooMany):
        return
