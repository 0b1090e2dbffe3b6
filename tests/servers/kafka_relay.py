"""A relay before a broker: it sees what a client asks, and can lose the answer to it."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import NamedTuple, Self

PRODUCE, METADATA = 0, 3  # API keys of Kafka's protocol
HEADER = struct.Struct(">hhi")  # of a request: API key, its version, correlation id


class Request(NamedTuple):
    api_key: int
    version: int
    body: bytes  # with its header


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class KafkaRelay:
    """Listens while the block runs, at the port to which a `Kafka` sends the clients of its relayed listener."""

    def __init__(self, port: int, upstream: int) -> None:
        self.url = f"kafka://127.0.0.1:{port}"
        self.requests: list[Request] = []
        self.lost = threading.Event()  # the answer that `lose_next` wanted
        self._losing: int | None = None
        relay = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", upstream)) as broker:
                    relay._pass_on(self.request, broker)

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def lose_next(self, api_key: int) -> None:
        """The next request of this kind is carried out, and its connection ends instead of an answer."""
        self.lost.clear()
        self._losing = api_key

    def _pass_on(self, client: socket.socket, broker: socket.socket) -> None:
        asked: dict[int, int] = {}  # correlation id: API key

        def answers() -> None:
            for frame in frames(broker):
                (correlation,) = struct.unpack_from(">i", frame)
                if asked.pop(correlation) == self._losing:
                    self._losing = None
                    self.lost.set()
                    break
                client.sendall(struct.pack(">i", len(frame)) + frame)
            for end in (client, broker):
                with contextlib.suppress(OSError):  # it has ended
                    end.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=answers, daemon=True).start()
        for frame in frames(client):
            api_key, version, correlation = HEADER.unpack_from(frame)
            asked[correlation] = api_key
            self.requests.append(Request(api_key, version, frame))
            broker.sendall(struct.pack(">i", len(frame)) + frame)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def frames(connection: socket.socket) -> Iterator[bytes]:
    """Until it ends."""
    with connection.makefile("rb") as read:
        try:
            while len(size := read.read(4)) == 4:
                yield read.read(int.from_bytes(size))
        except OSError:
            return
