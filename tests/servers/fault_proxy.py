"""A proxy before an IMAP server that follows the dialogue, and breaks it where its script says."""

import asyncio
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.servers.certificates import Certificate
from tests.servers.faults import By, Fault, Place, Script

LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
UNTAGGED = re.compile(rb"\* (?:\d+ )?([A-Z]+)")
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
LONGEST_LINE = 1 << 24
BLOCK = 1 << 16
ANSWER_SECONDS = 10.0  # for what was passed on late
T = TypeVar("T")
PLACE_OF_LINE: dict[bytes, Place] = {
    b"LIST": "list",
    b"EXISTS": "examine",
    b"STATUS": "status",
    b"FETCH": "listing",  # without a literal
}


class FaultProxies:
    """Any number of proxies, on one event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxies", daemon=True)

    @contextmanager
    def opened(
        self, script: Script, upstream: int, *, port: int = 0, certificate: Certificate | None = None
    ) -> Generator[int]:
        """The port of a new proxy before the plain port `upstream`; it speaks TLS when it gets a certificate."""
        server = self._run(self._open(script, upstream, port, certificate))
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self._loop.call_soon_threadsafe(server.close)

    def _run(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    @staticmethod
    async def _open(script: Script, upstream: int, port: int, certificate: Certificate | None) -> asyncio.Server:
        secure: ssl.SSLContext | None = None
        if certificate:
            secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            secure.load_cert_chain(certificate.file, certificate.key_file)

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _Connection(script, reader, writer).talk(upstream)

        return await asyncio.start_server(talk, "127.0.0.1", port, ssl=secure, limit=LONGEST_LINE, backlog=500)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(_end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _end_all() -> None:
    mine = asyncio.current_task()
    talking = [task for task in asyncio.all_tasks() if task is not mine]
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)


class _Over(Exception):
    """The connections have been ended."""


class _Connection:
    def __init__(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._script = script
        self._client, self._to_client = reader, writer
        self._verbs: dict[bytes, bytes] = {}  # of the commands that are not answered yet, by tag
        self._answered: asyncio.Event | None = None  # set: the client is gone, only the end of its append matters
        hidden = b"|".join(re.escape(name.encode()) for name in sorted(script.hidden))
        self._hidden = re.compile(rb" (?:%b)(?=[ \]\r])" % hidden) if hidden else None

    async def talk(self, upstream: int) -> None:
        try:
            self._server, self._to_server = await asyncio.open_connection("127.0.0.1", upstream, limit=LONGEST_LINE)
        except OSError:
            _end(self._to_client, "rst")
            return
        tasks = [asyncio.ensure_future(one) for one in (self._hear_client(), self._hear_server())]
        try:
            # Whoever ends first, by what happened or because a side has gone, ends both.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _end(self._to_client, "fin")
            _end(self._to_server, "fin")

    # ---- the client's commands

    async def _hear_client(self) -> None:
        while line := await self._client.readline():
            tag, _, command = line.partition(b" ")
            verb = command.split(b" ", 1)[0].strip().upper()
            self._verbs[tag] = verb
            if verb in (b"LOGIN", b"AUTHENTICATE"):
                await self._meet("login")
            if verb == b"APPEND":
                await self._hear_append(line)
            else:
                _write(self._to_server, line)
                while literal := LITERAL.search(line):
                    await _copy(self._client, self._to_server, int(literal[1]))
                    line = await self._client.readline()
                    _write(self._to_server, line)

    async def _hear_append(self, line: bytes) -> None:
        while literal := LITERAL.search(line):
            await self._meet("append_head", passing=line)  # killed or stopped, the client hears no leave to go on
            size = int(literal[1])
            await _copy(self._client, self._to_server, size // 2)
            await self._meet("append_literal")
            await _copy(self._client, self._to_server, size - size // 2)
            line = await self._client.readline()
        if not line.endswith(b"\n"):
            raise _Over  # the client was gone before its last line break
        await self._meet("append_crlf", kept=line)
        _write(self._to_server, line)
        await self._meet("append_sent")

    # ---- the server's answers

    async def _hear_server(self) -> None:
        await self._say("greeting", self._hide(await self._server.readline()))
        while line := await self._server.readline():
            tag = line.partition(b" ")[0]
            if verb := self._verbs.pop(tag, None):
                await self._say_end(verb, self._hide(line))
            elif literal := LITERAL.search(line):
                await self._say_literal(line, int(literal[1]))
            else:
                kind = UNTAGGED.match(line)
                place = PLACE_OF_LINE.get(kind[1]) if kind else None
                await self._say(place, self._hide(line))

    async def _say_end(self, verb: bytes, line: bytes) -> None:
        if self._answered:
            self._answered.set()
            return
        if verb != b"APPEND":
            _write(self._to_client, line)
            return
        await self._meet("append_answer")
        _write(self._to_client, line)
        await self._meet("append_answered")

    async def _say_literal(self, line: bytes, size: int) -> None:
        _write(self._to_client, line)
        await _copy(self._server, self._to_client, size // 2)
        await self._meet("fetch_literal")
        await _copy(self._server, self._to_client, size - size // 2)
        await self._meet("fetch_end")

    async def _say(self, place: Place | None, line: bytes) -> None:
        fault = self._script.meet(place) if place else None
        if fault:
            _write(self._to_client, line[: len(line) // 2])
            await self._kill(fault)
            await self._carry_out(fault)
            line = line[len(line) // 2 :]
        _write(self._to_client, line)

    def _hide(self, line: bytes) -> bytes:
        """Without the hidden capabilities; who does not know UIDPLUS does not say APPENDUID."""
        if self._hidden is None:
            return line
        if b"UIDPLUS" in self._hidden.pattern:
            line = re.sub(rb"\[APPENDUID [^\]]*\] ", b"", line)
        return self._hidden.sub(b"", line) if b"CAPABILITY" in line else line

    # ---- what happens

    async def _meet(self, place: Place, *, passing: bytes = b"", kept: bytes = b"") -> None:
        """`passing` goes to the server after the client was killed, and before anything else happens."""
        fault = self._script.meet(place)
        if fault:
            await self._kill(fault)
        _write(self._to_server, passing)
        if fault:
            await self._carry_out(fault, kept)

    async def _kill(self, fault: Fault) -> None:
        if fault.kill:
            await asyncio.get_running_loop().run_in_executor(None, self._script.kill)

    async def _carry_out(self, fault: Fault, kept: bytes = b"") -> None:
        """Returns when the dialogue goes on."""
        match fault.act:
            case "delay":
                await asyncio.sleep(fault.seconds)
            case "stall":
                await asyncio.sleep(fault.seconds)
                self._cut(fault.by)
            case "cut":
                self._cut(fault.by)
            case "late":
                await self._pass_on(kept, fault)
                raise _Over

    def _cut(self, by: By) -> None:
        _end(self._to_client, by)
        _end(self._to_server, by)
        raise _Over

    async def _pass_on(self, kept: bytes, fault: Fault) -> None:
        """The client is gone, its append arrives."""
        self._answered = asyncio.Event()
        ended = time.monotonic()
        _end(self._to_client, fault.by)
        await asyncio.sleep(fault.seconds)
        _write(self._to_server, kept)
        await asyncio.wait_for(self._answered.wait(), ANSWER_SECONDS)
        self._script.latest = max(self._script.latest, time.monotonic() - ended)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    while size:
        data = await reader.read(min(size, BLOCK))
        if not data:
            raise _Over
        _write(writer, data)
        await writer.drain()
        size -= len(data)


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """A side that has gone hears nothing more."""
    if not writer.transport.is_closing():
        writer.write(data)


def _end(writer: asyncio.StreamWriter, by: By) -> None:
    """By FIN after what was written before; by RST at once."""
    if writer.transport.is_closing():
        return
    if by == "rst":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()
    else:
        writer.close()
