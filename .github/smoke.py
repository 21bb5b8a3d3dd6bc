"""Use a running app as a person would: sign in, find the trace of that.

    python3 .github/smoke.py http://localhost:8000 EMAIL PASSWORD      an administrator's

Standard library only: it runs where nothing is installed. Ends with 1 at the first thing that is
not as it should be.
"""

import json
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

_START_SECONDS = 60


class Browser:
    """Keeps cookies and sends the headers that matter to the app."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection(urlsplit(self.origin).netloc, timeout=10)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers |= {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response, text


def main(origin: str, email: str, password: str) -> None:
    browser = Browser(origin.rstrip("/"))
    started = time.monotonic()
    while not _lives(browser):
        if time.monotonic() - started > _START_SECONDS:
            _fail("The app did not answer")
        time.sleep(0.1)
    print(f"It answers after {time.monotonic() - started:.1f} s")

    login = {"email": email, "password": password}
    signed_in = browser.open("/sign-in", login)[0]
    _expect("sign-in", signed_in, 303)
    trace_id = signed_in.headers["X-Trace-Id"]
    page, text = browser.open(f"/logs/traces/{trace_id}")
    _expect("the page of its trace", page, 200)
    if trace_id not in text or "Verify_Password" not in text:
        _fail(f"The page of trace {trace_id} does not show what was done")
    ready = json.loads(browser.open("/readyz")[1])
    if not ready["database"]:
        _fail(f"Not ready: {ready}")
    print(f"The trace of the sign-in is there: {trace_id}")


def _lives(browser: Browser) -> bool:
    try:
        return browser.open("/healthz")[0].status == 200
    except (OSError, HTTPException):
        return False


def _expect(what: str, response: HTTPResponse, status: int) -> None:
    if response.status != status:
        _fail(f"{what}: {response.status} instead of {status}")


def _fail(text: str) -> NoReturn:
    sys.exit(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
