"""The doctor at a real SMTP server."""

from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from app.config import Settings
from commands.kit.doctor.finding import Finding
from commands.kit.doctor.mail import mail
from tests.support.processes import free_port


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that lets in whose password is `right`, and takes no mail."""
    controller = Controller(
        object(),
        hostname="127.0.0.1",
        port=free_port(),
        auth_require_tls=False,
        authenticator=lambda *login: _let_in(login[-1]),
    )
    controller.start()
    yield controller.port
    controller.stop()


def _let_in(login: LoginPassword) -> AuthResult:
    # The server says no itself where the answer was not `handled`.
    return AuthResult(success=login.password == b"right", handled=False)


def look(**settings: object) -> Finding:
    (found,) = mail(Settings.model_validate(settings))
    return found


def test_a_server_that_takes_the_sign_in_is_fine(port: int) -> None:
    there = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "no", "smtp_user": "app"}

    right, other = look(**there, smtp_password="right"), look(**there, smtp_password="hush")

    assert right.state == "ok"
    assert (other.state, "SMTP_USER" in other.text) == ("wrong", True)
    assert "hush" not in other.text


def test_one_that_does_not_encrypt_is_told(port: int) -> None:
    found = look(smtp_host="127.0.0.1", smtp_port=port)

    assert (found.state, "SMTP_TLS" in found.text) == ("wrong", True)


def test_one_that_is_away_is_told() -> None:
    assert look(smtp_host="127.0.0.1", smtp_port=9).state == "wrong"


def test_without_a_server_mail_stays_here_or_is_not_sent() -> None:
    assert look().state == "ok"
    assert look(environment="production").state == "note"
