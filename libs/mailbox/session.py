"""One authenticated IMAP connection: the adapter of the port `Session`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from libs.contracts.reasons import Reason
from libs.mailbox import append, fetching, folders, meaning, measured, room
from libs.mailbox.backoff import Backoff
from libs.mailbox.dialogue import Dialogue
from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.names import quoted
from libs.mailbox.parse import Status as Answer
from libs.mailbox.parse import Untagged, Value, number
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
from libs.mailbox.selection import Selection
from libs.mailbox.stream import Stream

CLOSE_SECONDS = 2.0
PIPELINED = 50  # commands before their first answer is read: neither side may wait for the other


class ImapSession:
    """Says EXAMINE and BODY.PEEK only: nothing it reads is changed. Does not enable UTF8=ACCEPT."""

    def __init__(self, stream: Stream, capabilities: frozenset[str], backoff: Backoff) -> None:
        self.capabilities = capabilities
        self.multiappend = "MULTIAPPEND" in capabilities
        self.uidplus = bool({"UIDPLUS", "IMAP4REV2"} & capabilities)
        self._literals = append.Literals.of(capabilities)
        self._dialogue = Dialogue(stream, backoff)
        self._examined = False

    def compress(self) -> None:
        """COMPRESS DEFLATE (RFC 4978); a server that refuses goes on as before."""
        if self._dialogue.run(b"COMPRESS DEFLATE").kind == "OK":
            self._dialogue.compress()

    # ---- folders

    def folders(self) -> list[Folder]:
        extended = bool({"LIST-EXTENDED", "IMAP4REV2"} & self.capabilities)
        if extended:
            uses = " SPECIAL-USE" if {"SPECIAL-USE", "IMAP4REV2"} & self.capabilities else ""
            return self._list(f'LIST "" "*" RETURN (SUBSCRIBED{uses})')
        subscribed = frozenset(folder.wire for folder in self._list('LSUB "" "*"'))
        return self._list('LIST "" "*"', subscribed)

    def namespace(self) -> Namespace:
        """Without NAMESPACE: no prefix, and the delimiter that LIST tells (RFC 3501 section 6.3.8)."""
        if {"NAMESPACE", "IMAP4REV2"} & self.capabilities:
            for values in self._collect(b"NAMESPACE", b"NAMESPACE"):
                if namespace := folders.namespace(values):
                    return namespace
        root = next(iter(self._collect(b'LIST "" ""', b"LIST")), [])
        return Namespace(prefix="", delimiter=folders.text(root[1]) or None if len(root) > 1 else None)

    def _list(self, command: str, subscribed: frozenset[str] = frozenset()) -> list[Folder]:
        kind = command.partition(" ")[0].encode()
        found = (folders.folder(values, subscribed) for values in self._collect(command.encode("latin-1"), kind))
        return folders.distinct(folder for folder in found if folder)

    def _collect(self, command: bytes, kind: bytes) -> list[list[Value]]:
        """The values of each response of a kind."""
        found: list[list[Value]] = []

        def take(response: Untagged) -> None:
            if response.kind == kind:
                found.append(response.rest.values())

        self._expect(self._dialogue.run(command, take))
        return found

    def _exists(self, wire: str) -> bool:
        """Whether the folder can be opened, asked of the server rather than read from a refusal in some language."""
        # Cyrus with altnamespace dies of a pattern that begins with {5}; % stands for any sign
        pattern = quoted(wire.replace("{", "%")).decode("latin-1")
        return any(folder.selectable and folder.wire == wire for folder in self._list(f'LIST "" {pattern}'))

    def status(self, wire: str) -> Status:
        found: dict[bytes, Value] = {}
        answer = self._dialogue.run(self._status(wire), partial(_counts, found))
        self._expect_folder(answer, wire)
        return self._told(found)

    def statuses(self, wires: Sequence[str], *, size: bool = False) -> dict[str, Status]:
        result: dict[str, Status] = {}
        wires = [wire for wire in wires if _can_be_named(wire)]
        for start in range(0, len(wires), PIPELINED):
            part = wires[start : start + PIPELINED]
            dialogue = self._dialogue
            tags = [
                (dialogue.ask_also if number else dialogue.ask)(self._status(wire, size=size))
                for number, wire in enumerate(part)
            ]
            for wire, tag in zip(part, tags, strict=True):
                found: dict[bytes, Value] = {}
                while not isinstance(response := dialogue.next(tag), Answer):
                    if isinstance(response, Untagged):
                        _counts(found, response)
                if response.kind == "OK":
                    result[wire] = self._told(found)
                elif not isinstance(error := meaning.refused_folder(response), FolderGone | FolderRefused):
                    raise dialogue.refused(error)
        return result

    def _status(self, wire: str, *, size: bool = False) -> bytes:
        more = b" SIZE" if size and STATUS_SIZE in self.capabilities else b""
        return b"STATUS %b (MESSAGES UIDNEXT UIDVALIDITY%b)" % (self._mailbox(wire), more)

    def _told(self, found: dict[bytes, Value]) -> Status:
        messages = number(found.get(b"MESSAGES"))
        if messages is None:
            raise self._dialogue.broken()
        return Status(
            messages=messages,
            uidnext=number(found.get(b"UIDNEXT")),
            uidvalidity=number(found.get(b"UIDVALIDITY")),
            bytes=number(found.get(b"SIZE")),
        )

    def quota(self) -> Quota:
        return room.quota(self._dialogue, self.capabilities)

    def append_limit(self, wire: str) -> int | None:
        return room.append_limit(self._dialogue, self.capabilities, self._mailbox(wire))

    def create(self, wire: str, special_use: str | None = None) -> None:
        mailbox = self._mailbox(wire)
        answer = self._dialogue.run(b"CREATE %b" % mailbox + self._use(special_use))
        if answer.kind != "OK" and answer.code != "ALREADYEXISTS" and not self._exists(wire):
            raise self._dialogue.refused(meaning.refused_folder(answer))

    def _use(self, special_use: str | None) -> bytes:
        """RFC 6154 section 3."""
        told = special_use is not None and "CREATE-SPECIAL-USE" in self.capabilities
        return b" (USE (%b))" % special_use.encode("ascii") if special_use and told else b""

    def subscribe(self, wire: str) -> None:
        self._dialogue.tell(b"SUBSCRIBE %b" % self._mailbox(wire))  # a server without subscriptions may refuse

    # ---- messages

    def examine(self, wire: str) -> Selected:
        selection = Selection()
        self._examined = False
        answer = self._dialogue.run(b"EXAMINE %b" % self._mailbox(wire), selection.take)
        self._expect_folder(answer, wire)
        self._examined = True
        selected = selection.selected()
        if selected is None:
            raise self._dialogue.broken()
        return selected

    def unselect(self) -> None:
        if self._examined:
            self._examined = False
            # Some servers refuse CLOSE after EXAMINE: then the folder stays open, and nothing is lost.
            self._dialogue.tell(b"UNSELECT" if "UNSELECT" in self.capabilities else b"CLOSE")

    def listing(self, uids: str = "1:*", *, identity: bool) -> Iterator[Listed]:
        return fetching.fetch(self._dialogue, uids, fetching.IDENTITY if identity else fetching.LISTING)

    def gmail_ids(self) -> dict[int, int]:
        return dict(fetching.fetch(self._dialogue, "1:*", fetching.GMAIL_IDS))

    def fetch(self, uids: str) -> Iterator[Message]:
        return measured.fetched(fetching.fetch(self._dialogue, uids, fetching.MESSAGES))

    def headers(self, uids: str) -> Iterator[tuple[int, bytes]]:
        return fetching.fetch(self._dialogue, uids, fetching.HEADERS)

    def body(self, uid: int) -> Body:
        return measured.read(fetching.body(self._dialogue, uid))

    def flags(self, uids: str) -> dict[int, tuple[str, ...]]:
        return dict(fetching.fetch(self._dialogue, uids, fetching.FLAGS))

    def append(self, wire: str, messages: Sequence[AnyMessage], gate: Callable[[], None]) -> Appended:
        if not messages or (len(messages) > 1 and not self.multiappend):
            raise ValueError("one message, or several where the server has MULTIAPPEND")
        mailbox = self._mailbox(wire)
        with measured.append(messages):
            return append.append(self._dialogue, mailbox, messages, gate, literals=self._literals, uidplus=self.uidplus)

    # ---- the connection

    def forbid_writing(self) -> None:
        self._dialogue.forbid_writing()

    def noop(self) -> None:
        self._expect(self._dialogue.run(b"NOOP"))

    def reset(self) -> None:
        self._dialogue.reset()

    def close(self) -> None:
        self._dialogue.close(CLOSE_SECONDS)

    # ---- refusals

    def _mailbox(self, wire: str) -> bytes:
        if not _can_be_named(wire):
            raise FolderGone(Reason.FOLDER_GONE)
        return quoted(wire)

    def _expect(self, answer: Answer) -> None:
        if answer.kind != "OK":
            raise self._dialogue.refused(meaning.refused_folder(answer))

    def _expect_folder(self, answer: Answer, wire: str) -> None:
        if answer.kind == "OK":
            return
        error = self._dialogue.refused(meaning.refused_folder(answer))
        if error.reason is Reason.FOLDER_REFUSED and not self._exists(wire):
            raise FolderGone(Reason.FOLDER_GONE, answer.text)
        raise error


def _can_be_named(wire: str) -> bool:
    """In a command; a server may list what can't."""
    return not any(character in wire for character in "\r\n\0")


def _counts(found: dict[bytes, Value], response: Untagged) -> None:
    if response.kind == b"STATUS":
        response.rest.value()
        found.update(response.rest.items())
