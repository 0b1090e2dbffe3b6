"""Sending one mail: `smtp://` (STARTTLS when the server offers it) or `smtps://`, with a login if the URL has one."""

import asyncio
import ssl
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

SECONDS = 60.0  # for each step of the dialogue
PORTS = {"smtp": 587, "smtps": 465}


class MailNotSent(Exception):
    """No server has taken it; it may be sent again. Its text is a class, never a server's words."""


class Smtp:
    def __init__(self, url: str, ca_file: Path | None) -> None:
        self._url = urlsplit(url)
        self._context = ssl.create_default_context(cafile=ca_file)

    def send(self, message: EmailMessage) -> None:
        """Return when the server has taken it. Blocks.

        Raises:
            MailNotSent: it has not.
        """
        try:
            asyncio.run(self._send(message))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # ValueError: an address it can't write
            raise MailNotSent(type(error).__name__) from None

    async def _send(self, message: EmailMessage) -> None:
        url = self._url
        await aiosmtplib.send(
            message,
            hostname=url.hostname,
            port=url.port or PORTS[url.scheme],
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=url.scheme == "smtps",
            tls_context=self._context,
            timeout=SECONDS,
        )
