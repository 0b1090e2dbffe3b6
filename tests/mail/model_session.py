"""The port `Session` over an account in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from libs.contracts import uidset
from libs.contracts.reasons import Reason
from libs.mailbox.errors import (
    AppendRefused,
    AppendUnconfirmed,
    ConnectionLost,
    FetchRefused,
    FolderGone,
    FolderRefused,
    WritingForbidden,
)
from libs.mailbox.identity import FIELDS, identify
from libs.mailbox.port import (
    STATUS_SIZE,
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
from tests.mail.trouble import Fault, Lost, LostAfterCrlf, Operation

if TYPE_CHECKING:
    from tests.mail.model import MailboxModel

FIELDS_OF_IDENTITY = FIELDS
_IDENTITY = tuple(name.lower() for name in FIELDS.encode().split())


class ModelSession:
    """One connection. A second EXAMINE of the folder that is open shows what the first one saw (COPYING rule 13)."""

    def __init__(self, model: MailboxModel) -> None:
        self._model = model
        told = {"OBJECTID": model.objectid, "X-GM-EXT-1": bool(model.gmail_ids), STATUS_SIZE: model.tells_sizes}
        self.capabilities = frozenset({"IMAP4REV1", "QUOTA", *(name for name, has in told.items() if has)})
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
        model = self._model
        return Namespace(prefix=model.prefix, delimiter=model.delimiter, also_personal=model.also_personal)

    def status(self, wire: str, *, size: bool = False) -> Status:
        self._begin("status")
        with self._model.lock:
            folder = self._model.folder(wire)
            uidnext = self._model.uidnext(folder.uidnext)
            return Status(
                messages=len(folder.messages),
                uidnext=uidnext,
                uidvalidity=folder.uidvalidity,
                bytes=sum(one.size for one in folder.messages.values()) if size and self._model.tells_sizes else None,
            )

    def statuses(self, wires: Sequence[str], *, size: bool = False) -> dict[str, Status]:
        found: dict[str, Status] = {}
        for wire in wires:
            with contextlib.suppress(FolderGone, FolderRefused):
                found[wire] = self.status(wire, size=size)
        return found

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
                mailbox_id=self._model.mailbox_id(folder),
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
            if folder.uidnext + len(messages) - 1 > uidset.MAX_UID:
                raise AppendRefused(Reason.MESSAGE_REFUSED, "no UID is left")
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
            if int(first) > uidset.MAX_UID:
                raise FetchRefused(Reason.MESSAGE_UNREADABLE, "BAD no number of 32 bits")
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
