"""A mailbox as the scanner and the copier see it: blocking, one thread at a time, one connection.

Folder handles are *wire names*: the name as it stands in the protocol
(modified UTF-7, RFC 3501 section 5.1.3), bytes as latin-1. `Folder.name` is what people read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LARGE = 8 * 1024 * 1024  # bytes; a message above it is never held as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One LIST response (RFC 3501 section 7.2.2; SPECIAL-USE RFC 6154)."""

    wire: str
    name: str  # decoded
    delimiter: str | None
    special_use: str | None = None  # "\\Sent", "\\All", …
    selectable: bool = True
    subscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The first personal namespace (RFC 2342), and what is personal at all."""

    prefix: str  # decoded, with its delimiter: "INBOX." or ""
    delimiter: str | None
    also_personal: frozenset[str] = frozenset()  # prefixes of further personal namespaces
    foreign: frozenset[str] = frozenset()  # prefixes below which other people's and shared folders lie

    def is_personal(self, name: str) -> bool:
        """The longest prefix decides: Cyrus has shared folders below "", and the person's own below "INBOX."."""
        if name.upper() == "INBOX":
            return True

        def longest(prefixes: Iterable[str]) -> int:
            return max((len(one) for one in prefixes if f"{name}{self.delimiter or ''}".startswith(one)), default=-1)

        return longest({self.prefix, *self.also_personal}) >= longest(self.foreign)

    def within(self, name: str) -> str:
        """The name without the prefix of its personal namespace: equal for the names of a folder that is in several."""
        prefixes = (one for one in (self.prefix, *self.also_personal) if name.startswith(one))
        return name.removeprefix(max(prefixes, key=len, default=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The answer to EXAMINE."""

    uidvalidity: int
    uidnext: int | None
    exists: int
    mailbox_id: str | None = None  # RFC 8474
    permanent_flags: frozenset[str] = field(default_factory=frozenset[str])  # empty: not told
    keywords: frozenset[str] = field(default_factory=frozenset[str])  # known in the folder (FLAGS), used or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The room that is left (RFC 9208), where there is most to lose; None: no limit, or none that was told."""

    bytes_free: int | None = None
    messages_free: int | None = None
    bytes_used: int | None = None  # of the same quota as `bytes_free`


STATUS_SIZE = "STATUS=SIZE"  # RFC 8438


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The answer to STATUS; `None` where the server did not say."""

    messages: int
    uidnext: int | None
    uidvalidity: int | None
    bytes: int | None = None  # of all messages (RFC 8438), where it was asked for


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as a listing sees it. `identity` only when it was asked for."""

    uid: int
    size: int  # RFC822.SIZE, bytes
    internaldate: str  # the server's own text, "17-Jul-1996 02:44:25 -0700"
    message_id: str | None = None  # None: no such header
    header_digest: bytes = b""  # 16 bytes over From, To, Cc, Date, Subject, Message-ID


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message, byte for byte."""

    uid: int  # at the side it was read from
    flags: tuple[str, ...]  # system flags and keywords, without \Recent
    internaldate: str
    body: bytes

    @property
    def size(self) -> int:
        return len(self.body)


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of one message as they come; after the last piece the connection is free again."""

    size: int
    pieces: Iterable[bytes]


@dataclass(slots=True)
class LargeMessage:
    """One that is read from its source while it is appended."""

    uid: int
    flags: tuple[str, ...]
    internaldate: str
    size: int  # RFC822.SIZE until it was read
    open: Callable[[], Body]  # from the beginning, each time

    def read(self) -> Body:
        body = self.open()
        self.size = body.size
        return body


AnyMessage = Message | LargeMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """APPENDUID (RFC 4315), in message order; both None without UIDPLUS."""

    uidvalidity: int | None
    uids: tuple[int, ...] | None


class Session(Protocol):
    """One authenticated connection. Every method may raise a `MailboxError`."""

    capabilities: frozenset[str]  # upper case
    multiappend: bool  # False: append() takes one message at a time
    uidplus: bool

    def folders(self) -> list[Folder]: ...
    def namespace(self) -> Namespace: ...
    def status(self, wire: str) -> Status: ...
    def statuses(self, wires: Sequence[str], *, size: bool = False) -> dict[str, Status]:
        """Of many folders in few round trips; those that can't be asked for are left out.

        `size`: with their bytes, from a server with STATUS=SIZE.
        """
        ...

    def quota(self) -> Quota:
        """Of INBOX; roots of single folders are not asked for."""
        ...

    def append_limit(self, wire: str) -> int | None:
        """Bytes of the largest message the folder takes (RFC 7889); None where the server does not say."""
        ...

    def forbid_writing(self) -> None:
        """For good: every command that may change the account raises `WritingForbidden` from now on."""
        ...

    def examine(self, wire: str) -> Selected:
        """EXAMINE, always anew, even when it is the folder already open.

        Raises:
            FolderGone: there is no such folder.
        """
        ...

    def unselect(self) -> None:
        """Leave the examined folder (CLOSE after EXAMINE removes nothing), so that appends bring no updates of it."""
        ...

    def listing(self, uids: str = "1:*", *, identity: bool) -> Iterator[Listed]:
        """UID FETCH over the examined folder, streamed in the server's order. UIDs outside `uids` are dropped
        (a server answers `100:*` with its last message)."""
        ...

    def gmail_ids(self) -> dict[int, int]:
        """UID → X-GM-MSGID over the examined folder: a message has one, however many labels it has."""
        ...

    def fetch(self, uids: str) -> Iterator[Message]:
        """UID FETCH FLAGS INTERNALDATE BODY.PEEK[], streamed. A message that is gone does not appear.

        Raises:
            FetchRefused: the server would not hand out one of those that did not come.
            MessageTooLarge: one of those that did not come is above twice LARGE.
        """
        ...

    def headers(self, uids: str) -> Iterator[tuple[int, bytes]]:
        """UID FETCH BODY.PEEK[HEADER], streamed: (UID, header with its blank line).

        Raises:
            FetchRefused: the server would not hand out one of those that did not come.
        """
        ...

    def body(self, uid: int) -> Body:
        """The bytes of a message of any size; nothing else can be asked before its last piece.

        Raises:
            FetchRefused: the server would not hand it out, or it is gone.
        """
        ...

    def flags(self, uids: str) -> dict[int, tuple[str, ...]]: ...

    def create(self, wire: str, special_use: str | None = None) -> None:
        """CREATE, with its special use where the server takes one; a folder that exists already is fine.

        Raises:
            FolderRefused: the server will not have it.
        """
        ...

    def subscribe(self, wire: str) -> None:
        """SUBSCRIBE; a refusal is no error."""
        ...

    def append(self, wire: str, messages: Sequence[AnyMessage], gate: Callable[[], None]) -> Appended:
        """One MULTIAPPEND (RFC 3502), or APPEND for one message, in one buffer where LITERAL+ allows.

        All but the final CRLF is sent, then `gate()` is called, then the CRLF is sent
        (COPYING rule 7). When `gate`, or reading a large message, raises, the connection is reset
        (RST), nothing lands, and the exception passes through.

        Raises:
            AppendRefused: tagged NO or BAD: none of the messages landed.
            MailboxBusy: as AppendRefused, or it ended with a BYE before the CRLF was sent: none landed.
            ConnectionLost: it ended before the CRLF was sent: none landed.
            AppendUnconfirmed: the CRLF was sent and not answered: look before sending again.
        """
        ...

    def noop(self) -> None: ...
    def reset(self) -> None:
        """Drop the connection at once (RST); the session can't be used again. Any thread may call it."""
        ...

    def close(self) -> None:
        """LOGOUT, quietly and within 2 s."""
        ...
