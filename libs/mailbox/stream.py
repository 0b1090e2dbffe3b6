"""One TCP connection, read through one buffer from the greeting to the end.

Raises only OSError, TimeoutError among them; EOF in the middle is a ConnectionResetError.
"""

import contextlib
import io
import ipaddress
import socket
import ssl
import struct
import threading
import time

from typing_extensions import Buffer

from libs.mailbox.deflate import Deflate

OPERATION_SECONDS = 60.0  # without any byte
READ_BUFFER = 256 * 1024
PACKED = 64 * 1024  # deflated bytes read at once
SEND_SLICE = 256 * 1024  # what has to move within the patience
MAX_LINE = 1024 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class LineTooLong(OSError):
    """The server sent a line that no mail server has reason to send."""


class Stream:
    """Blocking, for one thread at a time; `reset` may come from any thread."""

    def __init__(
        self, connected: socket.socket, deadline: float | None = None, *, patience: float = OPERATION_SECONDS
    ) -> None:
        """`deadline` (time.monotonic) bounds all until `operate` is called; `patience` (seconds) each operation."""
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._source = _Source(connected, deadline, patience)
        self._reader = io.BufferedReader(self._source, READ_BUFFER)

    @property
    def socket(self) -> socket.socket:
        return self._source.socket

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        """Go on in TLS. What came before in clear and was not read yet is dropped, never read as if it were safe."""
        source = self._source
        source.await_deadline()
        plain = source.socket
        self._reader.detach()
        secured = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        source.socket = secured
        self._reader = io.BufferedReader(source, READ_BUFFER)
        secured.do_handshake()

    def compress(self) -> None:
        """Go on in deflate (RFC 4978), right after the server agreed. Each `send` is a block of its own."""
        source = self._source
        received = source.poll(self._reader)
        self._reader.detach()
        source.deflate = Deflate(received)
        self._reader = io.BufferedReader(source, READ_BUFFER)

    @property
    def is_local(self) -> bool:
        """Whether the other side is on this machine or in a network of its own."""
        address = ipaddress.ip_address(self._source.socket.getpeername()[0])
        return address.is_private or address.is_link_local

    def operate(self) -> None:
        """From now on no deadline, but `patience` for each operation without any byte."""
        self.set_deadline(None)

    def set_deadline(self, deadline: float | None) -> None:
        self._source.deadline = deadline
        with contextlib.suppress(OSError):
            self._source.socket.settimeout(self._source.patience)

    def readline(self) -> bytes:
        """One line with its line break."""
        line = self._reader.readline(MAX_LINE)
        if line[-1:] != b"\n":
            raise LineTooLong if len(line) == MAX_LINE else ConnectionResetError
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, read straight into the object that is returned."""
        data = self._reader.read(size)
        if len(data) < size:
            raise ConnectionResetError
        return data

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.read(min(size, READ_BUFFER)))

    def arrived(self) -> bool:
        """Whether something, or the end, is there to be read now."""
        return bool(self._source.poll(self._reader)) or self._source.ended

    def send(self, data: Buffer) -> None:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), SEND_SLICE):
            self._source.send(view[start : start + SEND_SLICE])

    def reset(self) -> None:
        """Drop the connection with RST, whoever is waiting in it."""
        self._source.reset()

    def close(self) -> None:
        self._source.close()


class _Source(io.RawIOBase):
    """The socket below the buffer."""

    def __init__(self, connected: socket.socket, deadline: float | None, patience: float) -> None:
        super().__init__()
        self.socket = connected
        self.deadline = deadline
        self.patience = patience
        self.ended = False
        self.deflate: Deflate | None = None
        self._in_use = threading.Lock()  # no socket is closed while a system call waits in it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self.deflate is not None:
            return self._read_packed(self.deflate, memoryview(buffer).cast("B"))
        with self._in_use:
            self.await_deadline()
            count = self.socket.recv_into(buffer)
        self.ended = count == 0
        return count

    def _read_packed(self, deflate: Deflate, buffer: memoryview) -> int:
        while not (data := deflate.unpack(len(buffer))):
            with self._in_use:
                self.await_deadline()
                received = self.socket.recv(PACKED)
            if not received:
                self.ended = True
                return 0
            deflate.feed(received)
        buffer[: len(data)] = data
        return len(data)

    def poll(self, reader: "io.BufferedReader[_Source]") -> bytes:
        """What is buffered, or can be without waiting."""
        deadline, self.deadline = self.deadline, None
        self.socket.settimeout(0)
        try:
            return reader.peek(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        finally:
            self.deadline = deadline
            self.socket.settimeout(self.patience)

    def send(self, data: memoryview) -> None:
        with self._in_use:
            self.await_deadline()
            self.socket.sendall(self.deflate.pack(data) if self.deflate else data)

    def await_deadline(self) -> None:
        """Let the next system call wait until the deadline, and no longer."""
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(min(left, self.patience))

    def reset(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if not self._in_use.acquire(blocking=False):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # wakes the thread that waits in it
            self._in_use.acquire()
        try:
            self.socket.close()
        finally:
            self._in_use.release()

    def close(self) -> None:
        with self._in_use:
            self.socket.close()
