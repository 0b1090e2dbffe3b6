"""IMAPClient and imaplib on a connection of ours, from the greeting to the login."""

import imaplib
import logging
import ssl
from typing import Any

from imapclient import IMAPClient
from typing_extensions import Buffer

from libs.contracts.accounts import Account
from libs.mailbox.names import quoted
from libs.mailbox.parse import Status, parse_status
from libs.mailbox.stream import Stream

MOST_BYTES = 256 * 1024  # that a server may say before it has let us in
ANSWERS = (imaplib.IMAP4.error, ValueError, TypeError, LookupError, AttributeError)  # raised on what is not IMAP

logging.getLogger("imapclient").setLevel(logging.CRITICAL + 1)  # its debug lines name hosts and users


class Heard:
    """The server's last refusal: exceptions of imaplib keep only its text, and a failed greeting nothing."""

    refusal: Status | None = None


class Client(IMAPClient):
    """IMAPClient that is given its connection."""

    def __init__(self, stream: Stream, account: Account, heard: Heard) -> None:
        self._given = _Imap4(stream, account.host, heard)
        super().__init__(account.host, account.port, ssl=account.security == "tls")
        self._imap.debug = 0  # IMAPClient sets 5, which formats every line

    def _create_IMAP4(self) -> Any:
        return self._given

    def _set_read_timeout(self) -> None:
        """The stream keeps the time."""

    @property
    def awaits_login(self) -> bool:
        return self._imap.state == "NONAUTH"


class _Imap4(imaplib.IMAP4):
    def __init__(self, stream: Stream, host: str, heard: Heard) -> None:
        self._stream = stream
        self._heard = heard
        self._left = MOST_BYTES
        super().__init__(host)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:  # noqa: ARG002
        self.host = host
        self.sock = self._stream.socket

    def read(self, size: int) -> bytes:
        self._spend(size)
        return self._stream.read(size)

    def readline(self) -> bytes:
        line = self._stream.readline()
        self._spend(len(line))
        words = line.split(b" ", 2)
        if len(words) > 1 and words[1].strip().upper() in (b"NO", b"BAD", b"BYE"):
            self._heard.refusal = parse_status(words[1].strip(), b" ".join(words[2:]))
        return line

    def send(self, data: Buffer) -> None:
        self._stream.send(data)

    def shutdown(self) -> None:
        self._stream.close()

    def starttls(self, ssl_context: ssl.SSLContext | None = None):
        """What came before TLS is dropped, here and in the stream: somebody may have put it there (RFC 2595)."""
        if ssl_context is None:
            raise ValueError("no TLS without verification")
        answer = self._simple_command("STARTTLS")
        if answer[0] == "OK":
            self._stream.wrap(ssl_context, self.host)
            self.untagged_responses.clear()
            self._get_capabilities()
        return answer

    def login(self, user: str, password: str):
        """imaplib quotes no user name and knows ASCII only."""
        name, secret = (text.encode().decode("latin-1") for text in (user, password))
        if secret.isascii() and secret.isprintable():
            answer = self._simple_command("LOGIN", quoted(name), quoted(secret))
        else:
            self.literal: Any = password.encode()
            answer = self._simple_command("LOGIN", quoted(name))
        if answer[0] == "OK":
            self.state = "AUTH"
        return answer

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort("too much")
