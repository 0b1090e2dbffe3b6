"""A Courier of its own for tests: Debian's imapd behind a login of ours.

Courier's own login asks a daemon at a path that is built in, one for each machine. So the
login is made here, and each connection is then given to an imapd, as Courier's own does it.
"""

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from tests.servers.certificates import Authority
from tests.servers.server import UNPACKED, MailServer, libraries

ROOT = UNPACKED / "courier-imap"
CAPABILITIES = (  # of Debian's /etc/courier/imapd
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
)
BLOCK = 256 * 1024


class Courier(MailServer):
    """An account is made with its first login. All folders lie below INBOX, with "." between levels.

    Args:
        utf8: announces UTF8=ACCEPT; folders have names in UTF-8 for who enables it.
    """

    name = "courier"

    def __init__(self, *, utf8: bool = False) -> None:
        super().__init__()
        authority = Authority(self.directory, "courier-ca")
        self.ca_file = authority.file
        certificate = authority.issue(self.host, "localhost")
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate.file, certificate.key_file)
        self._mail = self.own(self.directory / "mail")
        self._capabilities = CAPABILITIES + (" ENABLE UTF8=ACCEPT" if utf8 else "")
        self._making = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listeners = [
            socket.create_server((self.host, port), backlog=64) for port in (self.imap_port, self.imaps_port)
        ]
        for listener, tls in zip(self._listeners, (None, self._tls), strict=True):
            threading.Thread(target=self._accept, args=(listener, tls), daemon=True).start()

    @classmethod
    def binary(cls) -> Path:
        return ROOT / "usr/bin/imapd"

    def stop(self) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.remove()

    def _accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, tls), daemon=True).start()

    def _serve(self, plain: socket.socket, tls: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = tls.wrap_socket(plain, server_side=True) if tls else plain
            self._connections.add(connection)
            with connection:
                if (let_in := self._log_in(connection)) is not None:
                    self._hand_over(connection, *let_in)
            self._connections.discard(connection)

    def _log_in(self, connection: socket.socket) -> tuple[str, str] | None:
        """The user and the tag of the login."""
        connection.sendall(f"* OK [CAPABILITY {self._capabilities}] Courier-IMAP ready.\r\n".encode())
        while line := _line(connection):
            tag, _, command = line.decode("latin-1").partition(" ")
            words = command.replace('"', "").split(" ")
            match words[0].upper(), words[1:]:
                case "CAPABILITY", _:
                    said = f"* CAPABILITY {self._capabilities}\r\n{tag} OK CAPABILITY completed"
                case "LOGIN", [user, self.password]:
                    return user, tag
                case "LOGOUT", _:
                    connection.sendall(f"* BYE\r\n{tag} OK LOGOUT completed\r\n".encode())
                    return None
                case _:
                    said = f"{tag} NO Login failed."
            connection.sendall(f"{said}\r\n".encode())
        return None

    def _hand_over(self, connection: socket.socket, user: str, tag: str) -> None:
        home = self._home(user)
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.binary(), "Maildir"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                cwd=home,
                env=self._environment(user, tag, home),
                user=self.owner.pw_uid if os.getuid() == 0 else None,
                group=self.owner.pw_gid if os.getuid() == 0 else None,
                extra_groups=[] if os.getuid() == 0 else None,
            )
        with ours:
            sending = threading.Thread(target=_relay, args=(connection, ours), daemon=True)
            sending.start()
            _relay(ours, connection)
            process.wait(10)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            sending.join(10)

    def _home(self, user: str) -> Path:
        with self._making:
            home = self._mail / user.casefold()
            for part in ("", "Maildir", "Maildir/cur", "Maildir/new", "Maildir/tmp"):
                self.own(home / part)
            return home

    def _environment(self, user: str, tag: str, home: Path) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PROTOCOL": "IMAP",
            "AUTHENTICATED": user,
            "IMAPLOGINTAG": tag,
            "TCPREMOTEIP": "127.0.0.1",
            "TCPREMOTEPORT": "1",
            "MAILDIR": "Maildir",
            "IMAP_CAPABILITY": self._capabilities,
            "IMAP_KEYWORDS": "1",
            "IMAP_USELOCKS": "1",
            "IMAP_CHECK_ALL_FOLDERS": "0",
            "IMAP_ENHANCEDIDLE": "0",
            "IMAP_IDLE_TIMEOUT": "60",
            "GAMIN_DEBUG_SERVER": str(ROOT / "usr/libexec/gam_server"),  # else each folder waits a second for it
            "GAM_CLIENT_ID": self.directory.name,
            **libraries(ROOT),
        }


def _line(connection: socket.socket) -> bytes:
    """Byte by byte: what follows is imapd's."""
    line = bytearray()
    while byte := connection.recv(1):
        line += byte
        if line.endswith(b"\n"):
            return bytes(line).rstrip(b"\r\n")
    return b""


def _relay(source: socket.socket, destination: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(BLOCK):
            destination.sendall(data)
    with contextlib.suppress(OSError):
        destination.shutdown(socket.SHUT_WR)
