"""An IMAP account in memory, and the port `Session` over it, with scripted faults.

`model.at("append", 2, LostAfterCrlf(...))` makes the second append from now on fail in that way. What a server
commits late lands when its time has come, whoever looks then; a connection's end does not stop it.
"""

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from libs.contracts import uidset
from libs.contracts.reasons import Reason
from libs.mailbox.errors import (
    AppendRefused,
    AppendUnconfirmed,
    ConnectionLost,
    FetchRefused,
    FolderFailing,
    FolderGone,
    FolderRefused,
    MailboxBusy,
    WritingForbidden,
)
from libs.mailbox.identity import FIELDS, identify
from libs.mailbox.port import (
    AnyMessage,
    Appended,
    Body,
    Folder,
    Listed,
    Message,
    Namespace,
    Quota,
    Selected,
    Status,
)
from libs.mailbox.sides import SideFailed

Operation = Literal[
    "connect",
    "folders",
    "status",
    "examine",
    "listing",
    "fetch",
    "piece",
    "create",
    "append",
    "committing",
    "committed",
    "noop",
]
DATE = "17-Jul-2024 02:44:25 +0200"
_UIDVALIDITIES = itertools.count(1_000)  # no two folders are one
FIELDS_OF_IDENTITY = FIELDS
_IDENTITY = tuple(name.lower() for name in FIELDS.encode().split())


class Kept(NamedTuple):
    """One message as it lies in a folder; its UID is left out."""

    folder: str
    body: bytes
    flags: frozenset[str]
    internaldate: str


# ---- what can go wrong


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ends before the operation has any effect; an append before its CRLF."""


@dataclass(frozen=True, slots=True)
class LostAfterCrlf:
    """The whole append was sent, its answer never comes. It lands after `commit` seconds, or (None) never."""

    commit: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Busy:
    retry_after: float = 0.01


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason = Reason.FOLDER_REFUSED


@dataclass(frozen=True, slots=True)
class Do:
    """Something else happens first: another client writes, a folder is made anew, the process is killed …"""

    action: Callable[[], None]


Fault = Lost | LostAfterCrlf | Busy | Refused | Do


@dataclass(slots=True)
class FolderModel:
    uidvalidity: int
    uidnext: int = 1
    messages: dict[int, Message] = field(default_factory=dict[int, Message])


@dataclass(frozen=True, slots=True)
class _Late:
    due: float
    folder: FolderModel
    messages: Sequence[Message]


class MailboxModel:
    """One account. Thread-safe."""

    def __init__(
        self,
        *,
        uidplus: bool = True,
        multiappend: bool = True,
        delimiter: str = "/",
        prefix: str = "",
        sticky: bool = False,
    ) -> None:
        """`sticky`: a session that was in a folder once never sees what came later (worse than COPYING rule 13)."""
        self.uidplus = uidplus
        self.multiappend = multiappend
        self.sticky = sticky
        self.delimiter = delimiter
        self.prefix = prefix
        self.folders: dict[str, FolderModel] = {}
        self.special_use: dict[str, str] = {}
        self.subscribed: set[str] = set()
        self.gmail_ids: dict[bytes, int] = {}  # by body; where there are some, it is Gmail
        self.refused: dict[bytes, AppendRefused] = {}  # by body: the answer to whoever appends it
        # What strange servers do with what is appended, not with what `put` puts there:
        self.refuses: Callable[[Message], AppendRefused | None] = lambda _: None
        self.rewrites: Callable[[Message], Message] = lambda message: message
        self.headers: Callable[[bytes], bytes] = lambda header: header  # as it hands them out
        self.drops: Callable[[Message], bool] = lambda _: False  # the answer is OK, with a UID
        self.filters: Callable[[Message], bool] = lambda _: False  # moved to the folder "Filtered" at once
        self.merges = False  # equal mail is kept once
        # What they say that is not so:
        self.sizes: Callable[[int], int] = lambda size: size  # RFC822.SIZE
        self.uidnext: Callable[[int], int | None] = lambda uidnext: uidnext
        self.unreadable: set[bytes] = set()  # bodies that FETCH answers with NO
        self.fatal_headers: dict[bytes, float] = {}  # bodies: how often FETCH of their headers ends the connection
        self.fatal_texts: dict[bytes, float] = {}  # the same of the whole
        self.nil_bodies: set[bytes] = set()  # bodies that FETCH answers with NIL, on a real socket
        self.uncreatable: set[str] = set()
        self.failing: dict[str, float] = {}  # folders that so many EXAMINE, STATUS and CREATE answer with SERVERBUG
        self.renumbers_empty = False  # a folder gets another UIDVALIDITY with its first message, as on Courier
        self.quota = Quota()
        self.append_limit: int | None = None
        self.fetched: set[int] = set()  # UIDs of messages that were handed out whole
        self.handed_out = 0  # how often that was
        self.keywords: frozenset[str] = frozenset()
        self.permanent_flags: frozenset[str] = frozenset()
        self.operations: Counter[str] = Counter()
        self.append_sizes: list[int] = []  # messages of each append that was given to the server whole
        self.sessions: list[ModelSession] = []
        self._lock = threading.RLock()
        self._late: list[_Late] = []
        self._script: defaultdict[str, dict[int, list[Fault]]] = defaultdict(dict)
        self.add_folder("INBOX")

    # ---- for tests

    def hang_up_at(self, body: bytes) -> None:
        """The connection ends whenever this message is asked for."""
        self.fatal_headers[body] = self.fatal_texts[body] = float("inf")

    def add_folder(self, wire: str) -> FolderModel:
        with self._lock:
            self.folders[wire] = FolderModel(uidvalidity=next(_UIDVALIDITIES))
            return self.folders[wire]

    def put(self, wire: str, *bodies: bytes, flags: Sequence[str] = (), internaldate: str = DATE) -> list[int]:
        """Messages that are there, or that somebody else writes; their UIDs."""
        with self._lock:
            folder = self.folders.get(wire) or self.add_folder(wire)
            return self._commit(folder, [Message(0, tuple(flags), internaldate, body) for body in bodies])

    def expunge(self, wire: str, uids: Iterable[int]) -> None:
        with self._lock:
            for uid in uids:
                self.folders[wire].messages.pop(uid, None)

    def renumber(self, wire: str) -> None:
        """The same messages under a new UIDVALIDITY and other UIDs."""
        with self._lock:
            old = self.folders[wire]
            self._commit(self.add_folder(wire), list(old.messages.values()))

    def remove_folder(self, wire: str) -> None:
        with self._lock:
            del self.folders[wire]

    def at(self, operation: Operation, number: int, fault: Fault) -> None:
        """At the `number`th `operation` from now on (1: the next)."""
        with self._lock:
            self._script[operation].setdefault(self.operations[operation] + number, []).append(fault)

    def contents(self) -> Counter[Kept]:
        """All that is there, and all that will still land."""
        with self._lock:
            self._land_all()
            return Counter(
                Kept(wire, one.body, frozenset(one.flags), one.internaldate)
                for wire, folder in self.folders.items()
                for one in folder.messages.values()
            )

    def bodies(self, wire: str) -> list[bytes]:
        """In the order of UIDs; also what will still land."""
        with self._lock:
            self._land_all()
            return [one.body for _, one in sorted(self.folders[wire].messages.items())]

    def _land_all(self) -> None:
        for late in self._late:
            self._store(late.folder, late.messages)
        self._late.clear()

    def connect(self) -> "ModelSession":
        fault = self.begin("connect")
        self.raise_for(fault)
        session = ModelSession(self)
        with self._lock:
            self.sessions.append(session)
        return session

    # ---- for sessions

    @property
    def lock(self) -> threading.RLock:
        return self._lock

    def begin(self, operation: Operation) -> Fault | None:
        """Count an operation; do what is scripted to happen first, and return the fault it ends in."""
        with self._lock:
            self.operations[operation] += 1
            faults = self._script[operation].pop(self.operations[operation], [])
        found: Fault | None = None
        for fault in faults:
            if isinstance(fault, Do):
                fault.action()
            else:
                found = fault
        return found

    def raise_for(self, fault: Fault | None) -> None:
        match fault:
            case None | Do():
                return
            case Lost() | LostAfterCrlf():
                raise ConnectionLost(Reason.CONNECTION_LOST)
            case Busy():
                raise MailboxBusy(Reason.BUSY, "later, please", retry_after=fault.retry_after, asked=True)
            case Refused():
                raise FolderRefused(fault.reason, "no")

    def settle(self) -> None:
        """Land what is due."""
        now = time.monotonic()
        for late in [late for late in self._late if late.due <= now]:
            self._late.remove(late)
            self._store(late.folder, late.messages)

    def fail(self, wire: str) -> None:
        left = self.failing.get(wire, 0)
        if left > 0:
            self.failing[wire] = left - 1
            raise FolderFailing(Reason.FOLDER_FAILING, "NO [SERVERBUG] internal error", retry_after=0.01)

    def folder(self, wire: str) -> FolderModel:
        self.fail(wire)
        self.settle()
        folder = self.folders.get(wire)
        if folder is None:
            raise FolderGone(Reason.FOLDER_GONE)
        return folder

    def land(self, folder: FolderModel, messages: Sequence[Message], after: float) -> list[int]:
        if after > 0:
            self._late.append(_Late(time.monotonic() + after, folder, list(messages)))
            return []
        return self._store(folder, messages)

    def _store(self, folder: FolderModel, messages: Sequence[Message]) -> list[int]:
        """What an APPEND does; the UIDs it answers."""
        uids: list[int] = []
        if self.renumbers_empty and not folder.messages:
            folder.uidvalidity = next(_UIDVALIDITIES)
        for one in messages:
            stored = self.rewrites(one)
            twin = next((uid for uid, held in folder.messages.items() if held.body == stored.body), None)
            if self.merges and twin is not None:
                uids.append(twin)
                continue
            uids += self._commit(folder, [stored])
            if self.drops(one):
                del folder.messages[uids[-1]]
            elif self.filters(one):
                elsewhere = self.folders.get("Filtered") or self.add_folder("Filtered")
                self._commit(elsewhere, [folder.messages.pop(uids[-1])])
        return uids

    @staticmethod
    def _commit(folder: FolderModel, messages: Sequence[Message]) -> list[int]:
        uids = list(range(folder.uidnext, folder.uidnext + len(messages)))
        for uid, one in zip(uids, messages, strict=True):
            folder.messages[uid] = Message(uid, tuple(one.flags), one.internaldate, one.body)
        folder.uidnext += len(messages)
        return uids


class ModelSession:
    """One connection. A second EXAMINE of the folder that is open shows what the first one saw (COPYING rule 13)."""

    def __init__(self, model: MailboxModel) -> None:
        self._model = model
        self.capabilities = frozenset({"IMAP4REV1", "QUOTA"} | ({"X-GM-EXT-1"} if model.gmail_ids else set()))
        self.multiappend = model.multiappend
        self.uidplus = model.uidplus
        self.over = False
        self.may_write = True
        self.examined: list[str] = []
        self._wire: str | None = None
        self._snapshot: dict[int, Message] = {}
        self._seen: dict[str, tuple[Selected, dict[int, Message]]] = {}

    # ---- folders

    def folders(self) -> list[Folder]:
        self._begin("folders")
        model = self._model
        with model.lock:
            return [
                Folder(wire=wire, name=wire, delimiter=model.delimiter, special_use=model.special_use.get(wire))
                for wire in model.folders
            ]

    def namespace(self) -> Namespace:
        self._alive()
        return Namespace(prefix=self._model.prefix, delimiter=self._model.delimiter)

    def status(self, wire: str) -> Status:
        self._begin("status")
        with self._model.lock:
            folder = self._model.folder(wire)
            uidnext = self._model.uidnext(folder.uidnext)
            return Status(messages=len(folder.messages), uidnext=uidnext, uidvalidity=folder.uidvalidity)

    def examine(self, wire: str) -> Selected:
        self._begin("examine")
        self.examined.append(wire)
        again = wire == self._wire or self._model.sticky
        self._wire = None
        with self._model.lock:
            folder = self._model.folder(wire)
            selected = Selected(
                uidvalidity=folder.uidvalidity,
                uidnext=self._model.uidnext(folder.uidnext),
                exists=len(folder.messages),
                mailbox_id=None,
                permanent_flags=self._model.permanent_flags,
                keywords=self._model.keywords,
            )
            now = (selected, dict(folder.messages))
        if not again:
            self._seen.pop(wire, None)
        selected, self._snapshot = self._seen.setdefault(wire, now)
        self._wire = wire
        return selected

    def unselect(self) -> None:
        self._alive()
        self._wire = None

    def quota(self) -> Quota:
        self._alive()
        return self._model.quota

    def append_limit(self, wire: str) -> int | None:
        self._alive()
        return self._model.append_limit

    def forbid_writing(self) -> None:
        self.may_write = False

    # ---- messages

    def listing(self, uids: str = "1:*", *, identity: bool) -> Iterator[Listed]:
        self._begin("listing")
        for one in self._selected(uids):
            self._alive()
            if identity:
                self._survive(self._model.fatal_headers, one)
            listed = Listed(one.uid, self._model.sizes(len(one.body)), one.internaldate)
            yield (
                Listed(listed.uid, listed.size, listed.internaldate, *identify(_fields(one.body)))
                if identity
                else (listed)
            )

    def gmail_ids(self) -> dict[int, int]:
        self._alive()
        return {one.uid: self._model.gmail_ids[one.body] for one in self._selected("1:*")}

    def fetch(self, uids: str) -> Iterator[Message]:
        self._begin("fetch")
        for one in self._selected(uids):
            self._alive()
            with self._model.lock:
                if one.uid not in self._model.folder(self._wire or "").messages:
                    continue  # expunged meanwhile
            self._survive(self._model.fatal_texts, one)
            if one.body in self._model.unreadable:
                raise FetchRefused(Reason.MESSAGE_UNREADABLE, "NO can't be read")
            self._model.fetched.add(one.uid)
            self._model.handed_out += 1
            yield one

    def body(self, uid: int) -> Body:
        self._alive()
        for one in self._selected(str(uid)):
            if one.body in self._model.unreadable:
                break
            return Body(len(one.body), self._pieces(one.body))
        raise FetchRefused(Reason.MESSAGE_UNREADABLE)

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 1 << 20):
            self._begin("piece")
            yield body[start : start + (1 << 20)]

    def headers(self, uids: str) -> Iterator[tuple[int, bytes]]:
        for one in self.fetch(uids):
            header, blank, _ = one.body.partition(b"\r\n\r\n")
            yield one.uid, self._model.headers(header + blank)

    def header_fields(self, uid: int) -> bytes:
        """BODY[HEADER.FIELDS (…)] of those that identify a message."""
        return _fields(self._snapshot[uid].body)

    def flags(self, uids: str) -> dict[int, tuple[str, ...]]:
        self._alive()
        return {one.uid: one.flags for one in self._selected(uids)}

    def subscribe(self, wire: str) -> None:
        self._alive()
        self._write()
        self._model.subscribed.add(wire)

    def create(self, wire: str, special_use: str | None = None) -> None:
        self._write()
        self._begin("create")
        with self._model.lock:
            self._model.fail(wire)
            if wire in self._model.uncreatable:
                raise FolderRefused(Reason.FOLDER_REFUSED, "NO not here")
            if wire not in self._model.folders:
                self._model.add_folder(wire)

    def append(self, wire: str, messages: Sequence[AnyMessage], gate: Callable[[], None]) -> Appended:
        self._write()
        self._alive()
        try:
            return self._append(wire, [_read(one) for one in messages], gate)
        except SideFailed:
            self.over = True
            raise

    def _append(self, wire: str, messages: Sequence[Message], gate: Callable[[], None]) -> Appended:
        self._alive()
        assert messages
        assert self.multiappend or len(messages) == 1
        model = self._model
        fault = model.begin("append")
        self._alive()
        if not isinstance(fault, LostAfterCrlf):
            self._fail(fault)
        try:
            gate()
        except BaseException:
            self.reset()
            raise
        self._alive()  # a process that died before its CRLF
        model.begin("committing")  # from here on the client's fate changes nothing
        with model.lock:
            model.append_sizes.append(len(messages))
            model.settle()
            folder = model.folders.get(wire)
            if folder is None:
                raise AppendRefused(Reason.FOLDER_GONE, "NO [TRYCREATE]", try_create=True)
            for one in messages:
                if (refused := model.refused.get(one.body) or model.refuses(one)) is not None:
                    self.over = refused.connection_closed
                    raise refused
            if isinstance(fault, LostAfterCrlf):
                if fault.commit is not None:
                    model.land(folder, messages, fault.commit)
                self.over = True
                raise AppendUnconfirmed(Reason.CONNECTION_LOST)
            uids = model.land(folder, messages, 0)
        model.begin("committed")
        if self.over:
            raise AppendUnconfirmed(Reason.CONNECTION_LOST)
        return Appended(
            uidvalidity=folder.uidvalidity if self.uidplus else None, uids=tuple(uids) if self.uidplus else None
        )

    # ---- the connection

    def noop(self) -> None:
        self._begin("noop")

    def reset(self) -> None:
        self.over = True

    def close(self) -> None:
        self.over = True

    def _begin(self, operation: Operation) -> None:
        self._alive()
        self._fail(self._model.begin(operation))
        self._alive()

    def _fail(self, fault: Fault | None) -> None:
        if isinstance(fault, Lost | LostAfterCrlf):
            self.over = True
        self._model.raise_for(fault)

    def _survive(self, fatal: dict[bytes, float], message: Message) -> None:
        if fatal.get(message.body, 0) > 0:
            fatal[message.body] -= 1
            self.over = True
            raise ConnectionLost(Reason.CONNECTION_LOST)

    def _write(self) -> None:
        if not self.may_write:
            raise WritingForbidden

    def _alive(self) -> None:
        if self.over:
            raise ConnectionLost(Reason.CONNECTION_LOST)

    def _selected(self, uids: str) -> list[Message]:
        assert self._wire is not None, "no folder is open"
        wanted: set[int] = set()
        for part in uids.split(","):
            first, _, last = part.partition(":")
            if last == "*":
                wanted.update(uid for uid in self._snapshot if uid >= int(first))
            else:
                wanted.update(uidset.decode(part))
        return [one for uid, one in sorted(self._snapshot.items()) if uid in wanted]


def _read(message: AnyMessage) -> Message:
    if isinstance(message, Message):
        return message
    return Message(message.uid, message.flags, message.internaldate, b"".join(message.read().pieces))


def _fields(body: bytes) -> bytes:
    """BODY[HEADER.FIELDS (…)] of the six fields that identify a message."""
    head = body.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if line.partition(b":")[0].lower() in _IDENTITY]
    return b"\r\n".join([*lines, b"", b""])


def mail(name: object, *, size: int = 0, message_id: bool = True) -> bytes:
    """A small message; the same name gives the same bytes."""
    identified = f"Message-ID: <{name}@example.org>\r\n" if message_id else ""
    head = f"From: a@example.org\r\nTo: b@example.net\r\nSubject: {name}\r\n{identified}"
    return f"{head}\r\nThis is {name}.\r\n".encode() + b"x" * size
