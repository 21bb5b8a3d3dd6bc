"""Mail: a real SMTP server takes it, and what cannot be sent is said."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.config import Settings
from app.mail import Mail, Mailbox, MailFailed, NoMailer, SmtpMailer, make_mailer
from tests.support.processes import free_port

pytestmark = pytest.mark.anyio

MAIL = Mail("hana@example.com", "アドレスの確認", "次のリンク\n\nhttps://app.example/x\n")


class Inbox:
    """Keeps what arrives, and refuses mail to `refused@…`."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def handle_RCPT(  # the server's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address.startswith("refused@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.received.append(envelope.original_content or b"")
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    """The server and its port."""
    handler, port = Inbox(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def mailer(port: int, mail_from: str = "App <a@b.example>") -> SmtpMailer:
    return SmtpMailer(
        Settings(smtp_host="127.0.0.1", smtp_port=port, smtp_tls="no", mail_from=mail_from)
    )


async def test_a_mail_arrives_as_it_was_written(inbox: tuple[Inbox, int]) -> None:
    handler, port = inbox
    await mailer(port).send(MAIL)
    message = message_from_bytes(handler.received[0], policy=default)
    assert message["Subject"] == MAIL.subject
    assert (message["From"], message["To"]) == ("App <a@b.example>", "hana@example.com")
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


async def test_a_bare_address_gets_the_name_of_the_product(
    inbox: tuple[Inbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, port = inbox
    monkeypatch.setattr("app.mail.NAME", '私の "App", <1>')

    await mailer(port, mail_from="a@b.example").send(MAIL)

    sender = message_from_bytes(handler.received[0], policy=default)["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ('私の "App", <1>', "a@b.example")


async def test_what_the_server_refuses_is_an_error(inbox: tuple[Inbox, int]) -> None:
    with pytest.raises(MailFailed, match="no such user"):
        await mailer(inbox[1]).send(Mail("refused@example.com", "x", "x"))


async def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(MailFailed):
        await mailer(free_port()).send(MAIL)


async def test_nobody_adds_headers_to_a_mail(inbox: tuple[Inbox, int]) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        await mailer(inbox[1]).send(Mail("a@example.com\nBcc: b@example.com", "x", "x"))


def test_the_settings_say_where_it_goes() -> None:
    assert isinstance(make_mailer(Settings()), Mailbox)
    assert isinstance(make_mailer(Settings(environment="production")), NoMailer)
    assert isinstance(make_mailer(Settings(smtp_host="mail.example")), SmtpMailer)
