"""A real server behind a proxy that asks for a pause where a test wants it, and writes down when commands come."""

import contextlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")


@dataclass(frozen=True, slots=True)
class Command:
    """When its first line came (time.monotonic), and on which connection."""

    at: float
    connection: int
    line: bytes


@dataclass(slots=True)
class _Refusal:
    beginning: bytes
    number: int
    answer: bytes


@dataclass
class Throttler:
    """Every connection to `port` goes to the server at `server_port`, in clear.

    `refuse("UID FETCH", 2, "NO [THROTTLED] …")`: the second such command from
    now on is not passed on; this is its answer, and after a BYE the end.
    """

    server_port: int
    host: str = "127.0.0.1"
    commands: list[Command] = field(default_factory=list[Command])
    connected: list[float] = field(default_factory=list[float])
    said: list[float] = field(default_factory=list[float])  # when each refusal was sent

    def __post_init__(self) -> None:
        self._refusals: list[_Refusal] = []
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def refuse(self, beginning: str, number: int, answer: str) -> None:
        self._refusals.append(_Refusal(beginning.encode(), number, answer.encode()))

    def between(self, start: float, end: float) -> list[Command]:
        """Commands, and connections as commands without a line."""
        heard = [*self.commands, *(Command(at, -1, b"") for at in self.connected)]
        return [command for command in heard if start < command.at < end]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connected.append(time.monotonic())
            server = socket.create_connection((self.host, self.server_port))
            self._open += [client, server]
            number = len(self.connected)
            answers = _Answers()
            threading.Thread(target=_pump, args=(server, client, answers), daemon=True).start()
            threading.Thread(target=self._talk, args=(client, server, number, answers), daemon=True).start()

    def _talk(self, client: socket.socket, server: socket.socket, number: int, answers: "_Answers") -> None:
        reader = client.makefile("rb")
        before: bytes | None = None  # tag of the command before
        try:
            while line := reader.readline():
                if b" " in line:  # what AUTHENTICATE asks for goes on with a command, and has no tag
                    self.commands.append(Command(time.monotonic(), number, line))
                answer = self._refusal(line.partition(b" ")[2])
                self._pass(reader, line, server if answer is None else None, client)
                if answer is None:
                    before = line.split(b" ")[0] if b" " in line else before
                else:
                    answers.wait_for(before)
                    self.said.append(time.monotonic())
                    tag = b"*" if answer.startswith(b"BYE") else line.split(b" ")[0]
                    client.sendall(b"%b %b\r\n" % (tag, answer))
                    if answer.startswith(b"BYE"):
                        break
        except OSError:
            pass
        finally:
            reader.close()
            for one in (client, server):
                one.close()

    def _pass(self, reader: IO[bytes], line: bytes, server: socket.socket | None, client: socket.socket) -> None:
        """The whole command with its literals; to nobody when it is refused."""
        while True:
            if server:
                server.sendall(line)
            literal = _LITERAL.search(line)
            if literal is None:
                return
            if not server and not literal[2]:
                client.sendall(b"+ go on\r\n")
            body = reader.read(int(literal[1]))
            if server:
                server.sendall(body)
            line = reader.readline()

    def _refusal(self, command: bytes) -> bytes | None:
        with self._lock:
            for refusal in self._refusals:
                if command.startswith(refusal.beginning):
                    refusal.number -= 1
                    if refusal.number == 0:
                        self._refusals.remove(refusal)
                        return refusal.answer
        return None


class _Answers:
    """What the server has answered on one connection: a refusal does not overtake the answer of a command before."""

    def __init__(self) -> None:
        self._passed = threading.Condition()
        self._last = b"\n"

    def pass_on(self, data: bytes, sink: socket.socket) -> None:
        with self._passed:
            sink.sendall(data)
            self._last = (self._last + data)[-(1 << 17) :]
            self._passed.notify_all()

    def wait_for(self, tag: bytes | None) -> None:
        """A client that pipelines has sent the next command before; the line of its answer begins with the tag."""
        with self._passed:
            answered = self._passed.wait_for(lambda: tag is None or b"\n%b " % tag in self._last, timeout=5)
        assert answered, "the command before was not answered"


def _pump(source: socket.socket, sink: socket.socket, answers: _Answers) -> None:
    try:
        while data := source.recv(1 << 16):
            answers.pass_on(data, sink)
    except OSError:
        pass
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
