"""What the clients of other servers trust."""

import ssl

from app.lib.certificates import certificates


def test_they_are_read_once_and_servers_have_to_show_one() -> None:
    trusted = certificates()
    assert certificates() is trusted
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)
