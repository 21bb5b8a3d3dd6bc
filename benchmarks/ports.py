"""Ports of this machine, and how long a server on one may take to answer."""

import socket
from typing import Final

START_SECONDS: Final = 60.0


def free_port() -> int:
    """One on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
