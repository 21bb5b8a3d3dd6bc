"""Whom this machine trusts, for the clients of other servers."""

import ssl
from functools import cache

import httpx


@cache
def certificates() -> ssl.SSLContext:
    """For all clients of `httpx`: each would read them anew, which holds up a server for 17 ms."""
    return httpx.create_ssl_context()
