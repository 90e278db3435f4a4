"""Receipts by e-mail: the message, and its way to a mail server by SMTP (PO8)."""

import asyncio
import io
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import NamedTuple

import aiosmtplib
import segno

from holdfast.core.faults import ConfigurationFault, Fault
from holdfast.core.receipt.model import Receipt
from holdfast.core.receipt.paper import paper
from holdfast.core.receipt.texts import text
from holdfast.infra.config import RegisterConfig, RegisterHome, host_of
from holdfast.register.receipts.codes import CODE_ERROR

MAIL_COLUMNS = 48
SEND_S = 20.0
"""For a whole mail, greeting to end."""
_PASSWORD_BYTES_MAX = 1_024
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class NotSent(Fault):
    """The mail server was not reached, or asks to come again later."""

    code = "mail.not-sent"
    retriable = True

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause
        """`gone`, `later`, `login`, `tls`."""


class Refused(Fault):
    """The mail server takes no mail for this address, or not this mail: trying again cures nothing."""

    code = "mail.refused"

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause
        """`address`, `mail`."""


class Account(NamedTuple):
    """Where mails go out, and as whom."""

    host: str
    port: int
    security: str
    sender: str
    user: str
    password: str


def account_of(home: RegisterHome, config: RegisterConfig) -> Account:
    """By a register's settings. ConfigurationFault where they are not whole."""
    host, _, port = config.mail_server.rpartition(":") if ":" in config.mail_server else (
        config.mail_server, "", str(_PORTS[config.mail_security]),
    )  # fmt: skip
    if not host_of(config.mail_server) or not port.isdecimal():
        raise ConfigurationFault(
            f"mail_server = {config.mail_server!r} names no mail server. Write it as in smtp.example:587."
        )
    password = _password(home) if config.mail_user else ""
    return Account(host, int(port), config.mail_security, config.mail_from, config.mail_user, password)


def _password(home: RegisterHome) -> str:
    path = home.mail_password
    try:
        with path.open("rb") as file:
            return file.read(_PASSWORD_BYTES_MAX).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationFault(
            f"The mail server's password {path} cannot be read. Write it there: "
            "holdfast register mail set asks for it."
        ) from error


def mail_of(receipt: Receipt, code: str, sender: str, to: str, origin: str, at_ms: int) -> EmailMessage:
    """The receipt as a mail: plain lines, and the same with the picture of its code.

    Sent twice, because an answer was lost, it has the same id: mail programs show it once.
    """
    lines = [line.text.rstrip() for line in paper(receipt, MAIL_COLUMNS)]
    shop = receipt.header[0] if receipt.header else origin
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = text("mail.subject", number=receipt.sale.document, shop=shop)
    mail["Date"] = formatdate(at_ms / 1_000, usegmt=True)
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{receipt.sale.document}.{origin}@{domain}>"
    mail.set_content("\n".join(lines) + "\n")
    picture = make_msgid(domain=domain)
    mail.add_alternative(_page(lines, receipt.sale.document, picture[1:-1]), subtype="html")
    payload = mail.get_payload()
    assert isinstance(payload, list), "a mail with an alternative has parts"
    html = payload[1]
    assert isinstance(html, EmailMessage), "the second part is the page"
    html.add_related(_picture(code), maintype="image", subtype="png", cid=picture)
    return mail


def _page(lines: list[str], number: str, picture: str) -> str:
    shown = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        f'<html><body><pre style="font-family:monospace">{shown}</pre>'
        f'<p><img src="cid:{picture}" alt="{number}"></p></body></html>'
    )


def _picture(code: str) -> bytes:
    out = io.BytesIO()
    segno.make(code, error=CODE_ERROR).save(out, kind="png", scale=4, border=4)
    return out.getvalue()


async def send(mail: EmailMessage, account: Account) -> None:
    """Hand the mail to the server. NotSent where that can go well later, Refused where it cannot.

    What the server said may hold the address: it is told as a cause of our own.
    """
    try:
        async with asyncio.timeout(SEND_S):
            await aiosmtplib.send(
                mail,
                sender=account.sender,
                hostname=account.host,
                port=account.port,
                use_tls=account.security == "tls",
                start_tls=account.security == "starttls",
                tls_context=None if account.security == "none" else ssl.create_default_context(),
                username=account.user or None,
                password=account.password or None,
            )
    except aiosmtplib.SMTPAuthenticationError as error:
        raise NotSent("login", "The mail server refuses user or password. Set them again.") from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = max((refused.code for refused in error.recipients), default=0)
        if code >= 500:
            raise Refused("address", "The mail server takes no mail for this address.") from error
        raise NotSent("later", "The mail server asks to come again later.") from error
    except aiosmtplib.SMTPResponseException as error:
        if error.code >= 500:
            raise Refused("mail", f"The mail server refuses the mail (code {error.code}).") from error
        raise NotSent("later", f"The mail server asks to come again later (code {error.code}).") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        if isinstance(error, ssl.SSLError) or "STARTTLS" in str(error):
            raise NotSent("tls", "The mail server's certificate or encryption does not do.") from error
        raise NotSent("gone", "The mail server is not reachable.") from error
