"""A server that says what a test tells it to: hostile, silent, dying, or just different."""

import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from libs.contracts.accounts import Account, OAuth, Security
from tests.servers.certificates import Certificate

CAPABILITIES = "IMAP4rev1 LITERAL+ MULTIAPPEND UIDPLUS"
RESET = struct.pack("ii", 1, 0)


class Talk:
    """One connection, from the server's side."""

    def __init__(self, connection: socket.socket, over: threading.Event, heard: Counter[str]) -> None:
        self.connection = connection
        self._lines = connection.makefile("rb")
        self._over = over
        self._heard = heard
        self.tag = ""

    def say(self, *lines: str | bytes) -> None:
        """Each with CRLF; `{tag}` is the tag of the command read last."""
        for line in lines:
            text = line.replace("{tag}", self.tag).encode("latin-1") if isinstance(line, str) else line
            self.connection.sendall(text + b"\r\n")

    def hear(self, beginning: str = "") -> bytes:
        """The next command without its tag, which must begin like this."""
        line = self._lines.readline()
        if not line:
            raise EOFError
        tag, _, command = line.rstrip(b"\r\n").partition(b" ")
        self.tag = tag.decode("latin-1")
        self._heard[command.partition(b" ")[0].decode("latin-1")] += 1
        assert command.startswith(beginning.encode()), command
        return command

    def read(self, size: int) -> bytes:
        return self._lines.read(size)

    def line(self) -> bytes:
        return self._lines.readline()

    def answer(self, beginning: str, *lines: str | bytes) -> bytes:
        """Hear one command; say these lines and OK."""
        command = self.hear(beginning)
        self.say(*lines, "{tag} OK done")
        return command

    def let_in(self, capabilities: str = CAPABILITIES) -> None:
        """Greeting and login."""
        self.say("* OK ready")
        self.answer("CAPABILITY", f"* CAPABILITY {capabilities}")
        self.hear("LOGIN")
        self.say(f"{{tag}} OK [CAPABILITY {capabilities}] in")

    def secure(self, certificate: Certificate) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key_file)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self._lines = self.connection.makefile("rb")

    def hang(self) -> None:
        """Say nothing more until the test is over."""
        self._over.wait(30)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        self._lines.close()
        self.connection.close()


class Scripted:
    """Runs `talk` for each connection. What it asserts fails the test."""

    host = "127.0.0.1"

    def __init__(self, talk: Callable[[Talk], None]) -> None:
        self._talk = talk
        self._over = threading.Event()
        self._failures: list[BaseException] = []
        self.heard: Counter[str] = Counter()  # commands, of all connections
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def account(
        self,
        *,
        security: Security = "plain",
        username: str = "joe",
        password: str = "secret",
        token: str | None = None,
        login_as: str | None = None,
        host: str = host,
    ) -> Account:
        return Account(
            host=host,
            port=self.port,
            security=security,
            username=username,
            password=None if token else SecretStr(password),
            oauth=OAuth(access_token=SecretStr(token)) if token else None,
            login_as=login_as,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
        if self._failures and (error is None or isinstance(error, Exception)):
            raise self._failures[0]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        talk = Talk(connection, self._over, self.heard)
        try:
            self._talk(talk)
        except AssertionError as failure:
            self._failures.append(failure)
        except (OSError, EOFError, ValueError):
            pass  # the other side has gone
        finally:
            talk.close()
