"""The socket on which the app is to listen."""

import errno
import os
import socket

from commands.kit.words import Failure


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, for the server to take over."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except (socket.gaierror, UnicodeError):  # the latter is of a name that no host can have
        raise Failure("no_address", host=host) from None
    except OSError as error:
        # Windows reports a port that another program holds for itself as EACCES.
        if error.errno == errno.EADDRINUSE or (os.name == "nt" and error.errno == errno.EACCES):
            raise Failure("port_taken", port=port, other=_next_port(port)) from None
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise Failure("port_refused", port=port, other=8000) from None
        raise Failure("no_address", host=host) from None
    listener.set_inheritable(True)
    return listener


def _next_port(port: int) -> int:
    return port + 1 if port < 65535 else port - 1
