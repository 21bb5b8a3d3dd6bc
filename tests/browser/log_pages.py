"""Pages of the log in a browser, and what is to stand on them."""

import httpx
from playwright.sync_api import Page

from tests.browser.conftest import Visitor
from tests.support.plain_http import plain_client
from tests.support.processes import wait_until


def beside(visitor: Visitor) -> httpx.Client:
    """The visitor's session without their browser."""
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in visitor.context.cookies())
    headers = {"Origin": visitor.origin, "Cookie": cookies}
    return plain_client(base_url=visitor.origin, headers=headers)


def open_log(visitor: Visitor, path: str, *texts: str) -> Page:
    """A page of the log, once what it is to hold has been delivered: mostly ids of traces."""

    with beside(visitor) as client:

        def there() -> bool:
            shown = client.get(path).text
            return all(text in shown for text in texts)

        wait_until(there, what="the delivery to the log database")
    return visitor.go(path)


def provoke_failure(visitor: Visitor) -> str:
    """The trace id of a request of which a step fails: a wrong password."""
    change = {"current": "a guess", "new": "a-longer-one-2"}
    with beside(visitor) as client:
        answer = client.post("/account/password", data=change)
    assert answer.status_code == 422
    return answer.headers["x-trace-id"]
