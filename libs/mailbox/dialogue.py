"""Commands and their answers on one connection: tags, answers nobody waits for, and how a connection ends."""

import contextlib
import re
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from libs.contracts.reasons import Reason
from libs.mailbox import meaning
from libs.mailbox.backoff import Backoff
from libs.mailbox.errors import ConnectionLost, MailboxError, ProtocolBroken, WritingForbidden
from libs.mailbox.parse import Continuation, Scanner, Status, Tagged, Untagged, parse_response
from libs.mailbox.stream import LineTooLong, Stream

E = TypeVar("E", bound=MailboxError)

READING = re.compile(  # what changes nothing, in a folder opened with EXAMINE
    rb"(CAPABILITY|NOOP|LOGOUT|ENABLE|COMPRESS|LIST|LSUB|NAMESPACE|STATUS|"
    rb"GETQUOTAROOT|EXAMINE|CLOSE|UNSELECT|UID FETCH)"
    rb"(?= |\Z)"
)


class Dialogue:
    """For one thread at a time; `reset` for any.

    Everything may raise ConnectionLost, MailboxBusy after a BYE, or
    ProtocolBroken. Then the connection is gone. A command that would come
    before the time the server asked for is not sent: MailboxBusy.
    """

    def __init__(self, stream: Stream, backoff: Backoff) -> None:
        self._stream = stream
        self._backoff = backoff
        self._over = False
        self._may_write = True
        self._count = 0
        self._waiting: deque[bytes] = deque()  # tags without an answer, in the order sent
        self._told: set[bytes] = set()  # those of them whose answer nobody waits for
        self._unread: Untagged | None = None
        self._bye: Status | None = None
        self._closing = False  # LOGOUT was sent: the BYE is its answer

    def forbid_writing(self) -> None:
        self._may_write = False

    def start(self, command: bytes) -> bytes:
        """The tag of a command that is about to be sent, when all earlier ones are answered.

        Raises:
            WritingForbidden: it is none of those that only read, and that is all this connection may do.
        """
        while any(tag not in self._told for tag in self._waiting):
            self.next(self._waiting[0])
        return self._tag(command)

    def ask(self, command: bytes) -> bytes:
        """Send one command; its tag."""
        tag = self.start(command)
        self.send(b"%b %b\r\n" % (tag, command))
        return tag

    def ask_also(self, command: bytes) -> bytes:
        """Send one more command while an earlier one is being answered."""
        tag = self._tag(command)
        self.send(b"%b %b\r\n" % (tag, command))
        return tag

    def tell(self, command: bytes) -> None:
        """Send a command whose answer does not matter; the next one goes right behind it."""
        self._told.add(self.ask(command))

    def run(self, command: bytes, take: Callable[[Untagged], None] | None = None) -> Status:
        """Send a command and wait for its status; `take` gets each untagged response."""
        tag = self.ask(command)
        while not isinstance(response := self.next(tag), Status):
            if take and isinstance(response, Untagged):
                take(response)
        return response

    def next(self, tag: bytes) -> Untagged | Continuation | Status | None:
        """The next response while `tag` is waiting: untagged ones, and its status at last.

        None: an answer to what was told before.
        """
        return self._understand(tag, self._next_line())

    def next_shaped(
        self, tag: bytes, shape: re.Pattern[bytes]
    ) -> re.Match[bytes] | Untagged | Continuation | Status | None:
        """As `next`, or the match where the line has the shape that is expected again and again.

        When the line ends in a literal, read it, and then `finish` the response.
        """
        line = self._next_line()
        return shape.match(line) or self._understand(tag, line)

    def finish(self) -> None:
        """Read the rest of a response after its literal."""
        if (line := self.readline()) != b")\r\n":
            Scanner(self, line, 0).skip()

    def _next_line(self) -> bytes:
        if self._unread is not None:
            self._unread.rest.skip()
            self._unread = None
        return self.readline()

    def _understand(self, tag: bytes, line: bytes) -> Untagged | Continuation | Status | None:
        response = parse_response(self, line)
        if isinstance(response, Untagged):
            self._unread = response
            if response.kind == b"BYE":
                self._bye = response.status
            elif response.status is not None:
                self._heed_in_passing(response.status)
        elif isinstance(response, Tagged):
            answered = self._waiting.popleft() if self._waiting else None
            if response.tag != answered or (answered != tag and answered not in self._told):
                raise self.broken()
            if response.status.kind == "OK":
                self._heed_in_passing(response.status)
            if answered in self._told:
                self._told.remove(answered)
                return None
            return response.status
        return response

    def refused(self, error: E) -> E:
        """What a tagged NO or BAD means; where it asks for a pause, no command comes before its end."""
        return self._backoff.heed(error)

    def _heed_in_passing(self, status: Status) -> None:
        """The answer stands, but the next command has to wait."""
        error = meaning.throttled(status)
        if error is not None:
            self._backoff.heed(error)

    def arrived(self) -> bool:
        """Whether something, or the end, is there to be read without waiting."""
        try:
            return self._stream.arrived()
        except OSError as error:
            raise self._lost(error) from error

    def send(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._stream.send(data)
        except OSError as error:
            raise self._lost(error) from error

    def push(self, data: bytes | bytearray | memoryview) -> bool:
        """Send; False when the server takes no more, though its last words may still be there to be read."""
        try:
            self._stream.send(data)
        except TimeoutError as error:
            if not self.arrived():
                raise self._lost(error) from error
            return False
        except OSError:
            return False
        return True

    def readline(self) -> bytes:
        try:
            return self._stream.readline()
        except OSError as error:
            raise self._lost(error) from error

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise self._lost(error) from error

    def skip(self, size: int) -> None:
        try:
            self._stream.skip(size)
        except OSError as error:
            raise self._lost(error) from error

    def compress(self) -> None:
        """Both sides go on in deflate."""
        try:
            self._stream.compress()
        except OSError as error:
            raise self._lost(error) from error

    def broken(self) -> ProtocolBroken:
        self.reset()
        return ProtocolBroken(Reason.PROTOCOL)

    def reset(self) -> None:
        """Drop the connection with RST. Any thread."""
        self._over = True
        self._stream.reset()

    def close(self, seconds: float) -> None:
        """LOGOUT, unless the server wants to be left alone, and wait for the end, no longer than this."""
        if self._over or any(tag not in self._told for tag in self._waiting):
            self.reset()
            return
        self._closing = True
        self._stream.set_deadline(time.monotonic() + seconds)
        with contextlib.suppress(MailboxError):
            self.run(b"LOGOUT")
        self._over = True
        self._stream.close()

    def _tag(self, command: bytes) -> bytes:
        if not self._may_write and not READING.match(command):
            raise WritingForbidden
        if self._over:
            raise ConnectionLost(Reason.CONNECTION_LOST)
        self._backoff.check()
        self._count += 1
        tag = b"M%d" % self._count
        self._waiting.append(tag)
        return tag

    def _lost(self, error: OSError) -> MailboxError:
        self.reset()
        if isinstance(error, LineTooLong):
            return ProtocolBroken(Reason.PROTOCOL)
        if self._bye and not self._closing:
            return self._backoff.heed(meaning.busy(self._bye) or ConnectionLost(Reason.CONNECTION_LOST))
        return ConnectionLost(Reason.TIMED_OUT if isinstance(error, TimeoutError) else Reason.CONNECTION_LOST)
