"""A client for servers of this machine."""

import ssl
from typing import Any

import httpx

# httpx would read all certificates of the system for each client; HTTP without TLS needs none.
_NONE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_client(**settings: Any) -> httpx.Client:
    """A client of `httpx` that knows neither certificates nor the settings of this machine."""
    settings.setdefault("timeout", 60)
    return httpx.Client(trust_env=False, verify=_NONE, **settings)
