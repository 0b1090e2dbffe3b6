"""An IMAP account in memory, and the port `Session` over it, with scripted faults.

`model.at("append", 2, LostAfterCrlf(...))` makes the second append from now on fail in that way. What a server
commits late lands when its time has come, whoever looks then; a connection's end does not stop it.
"""

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from libs.contracts.reasons import Reason
from libs.mailbox.errors import (
    AppendRefused,
    ConnectionLost,
    FolderFailing,
    FolderGone,
    FolderRefused,
    MailboxBusy,
)
from libs.mailbox.port import (
    Message,
    Quota,
)
from tests.mail.model_session import ModelSession
from tests.mail.trouble import Busy, Do, Fault, Lost, LostAfterCrlf, Operation, Refused

DATE = "17-Jul-2024 02:44:25 +0200"
_MAILBOX_IDS = itertools.count(1)
_UIDVALIDITIES = itertools.count(1_000)  # no two folders are one


class Kept(NamedTuple):
    """One message as it lies in a folder; its UID is left out."""

    folder: str
    body: bytes
    flags: frozenset[str]
    internaldate: str


@dataclass(slots=True)
class FolderModel:
    uidvalidity: int
    uidnext: int = 1
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    mailbox_id: str = field(default_factory=lambda: f"F{next(_MAILBOX_IDS)}")


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
        objectid: bool = False,
    ) -> None:
        """`sticky`: a session that was in a folder once never sees what came later (worse than COPYING rule 13)."""
        self.uidplus = uidplus
        self.multiappend = multiappend
        self.sticky = sticky
        self.objectid = objectid  # tells MAILBOXID
        self.delimiter = delimiter
        self.prefix = prefix
        self.also_personal: frozenset[str] = frozenset()  # prefixes of further namespaces
        self.folders: dict[str, FolderModel] = {}
        self.special_use: dict[str, str] = {}
        self.subscribed: set[str] = set()
        self.tells_sizes = False  # STATUS=SIZE
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

    def mailbox_id(self, folder: FolderModel) -> str | None:
        return folder.mailbox_id if self.objectid else None

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


def mail(name: object, *, size: int = 0, message_id: bool = True) -> bytes:
    """A small message; the same name gives the same bytes."""
    identified = f"Message-ID: <{name}@example.org>\r\n" if message_id else ""
    head = f"From: a@example.org\r\nTo: b@example.net\r\nSubject: {name}\r\n{identified}"
    return f"{head}\r\nThis is {name}.\r\n".encode() + b"x" * size
