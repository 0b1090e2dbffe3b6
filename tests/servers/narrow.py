"""A link between a client and a server on this machine: as narrow as wanted, counted, and to be cut."""

import socket
import threading
import time
from types import TracebackType
from typing import Self

BLOCK = 16 * 1024


class NarrowLink:
    """`to_server` and `to_client` are the bytes that went through. `rate`: bytes a second in each direction."""

    def __init__(self, port: int, rate: float | None = None) -> None:
        self.to_server = 0
        self.to_client = 0
        self._server_port = port
        self._rate = rate
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections."""
        for one in self._sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += [client, server]
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(client, server, "to_server"), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, "to_client"), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        free_at = time.monotonic()
        try:
            while block := source.recv(BLOCK):
                setattr(self, direction, getattr(self, direction) + len(block))
                if self._rate:
                    free_at = max(free_at, time.monotonic()) + len(block) / self._rate
                    time.sleep(max(0.0, free_at - time.monotonic()))
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut()
        for one in self._sockets:
            one.close()
