"""APPEND and MULTIAPPEND (RFC 3502): how messages become one command, with a gate before its last line break."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from libs.contracts import uidset
from libs.contracts.reasons import Reason
from libs.mailbox import meaning
from libs.mailbox.dialogue import Dialogue
from libs.mailbox.errors import (
    AppendRefused,
    AppendUnconfirmed,
    ConnectionLost,
    MailboxBusy,
    MailboxError,
    ProtocolBroken,
)
from libs.mailbox.parse import Continuation, Status
from libs.mailbox.port import AnyMessage, Appended, Body, LargeMessage

SHORT_LITERAL = 4096  # LITERAL-: larger ones wait for leave (RFC 7888 section 5)
BLOCK = 256 * 1024  # sent at once; larger messages go out from where they are, uncopied
UNKNOWN = Appended(uidvalidity=None, uids=None)

_FLAG = re.compile(r"\\?[\x21\x23-\x27\x2a-\x5b\x5d-\x7a\x7c-\x7e\x80-\xff]+")  # nothing that ends an atom
_DATE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")  # nothing that ends a quoted string


@dataclass(frozen=True, slots=True)
class Literals:
    """How large a literal may be to be sent without waiting for the server's leave (RFC 7888)."""

    unasked: int

    @classmethod
    def of(cls, capabilities: frozenset[str]) -> "Literals":
        if "LITERAL+" in capabilities:
            return cls(2**63)
        return cls(SHORT_LITERAL if {"LITERAL-", "IMAP4REV2"} & capabilities else -1)


class _Wait:
    """Here the server must give leave before more is sent."""


def append(
    dialogue: Dialogue,
    mailbox: bytes,
    messages: Sequence[AnyMessage],
    gate: Callable[[], None],
    *,
    literals: Literals,
    uidplus: bool,
) -> Appended:
    """`mailbox` is quoted already. See Session.append."""
    bodies = [_body(message) for message in messages]
    heads = [_head(message, body.size, literals) for message, body in zip(messages, bodies, strict=True)]
    tag = dialogue.start(b"APPEND")
    for part in _parts(dialogue, tag, mailbox, heads, bodies, literals):
        if isinstance(part, _Wait):
            _await_leave(dialogue, tag)
        elif not dialogue.push(part):
            raise _last_words(dialogue, tag)
    while dialogue.arrived():
        if isinstance(status := dialogue.next(tag), Status):
            if status.kind == "NO":  # refused for good; what is left of the command must not be taken for another
                dialogue.send(b"\r\n")
            raise _answered_early(dialogue, status, close=status.kind != "NO")
    try:
        gate()
    except BaseException:
        dialogue.reset()
        raise
    status = _commit(dialogue, tag)
    if status.kind != "OK":
        # after BAD a server may read the rest of what was sent as commands: no more with it
        raise _refused(dialogue, status, close=status.kind == "BAD")
    return _appended(status, len(messages)) if uidplus else UNKNOWN


def _commit(dialogue: Dialogue, tag: bytes) -> Status:
    try:
        dialogue.send(b"\r\n")
        while not isinstance(status := dialogue.next(tag), Status):
            pass
    except (ConnectionLost, MailboxBusy, ProtocolBroken) as error:
        raise AppendUnconfirmed(error.reason, error.server_text) from error
    return status


def _await_leave(dialogue: Dialogue, tag: bytes) -> None:
    while not isinstance(response := dialogue.next(tag), Continuation):
        if isinstance(response, Status):  # the command is over, the literal will not be read
            raise _refused(dialogue, response, close=response.kind == "BAD")


def _last_words(dialogue: Dialogue, tag: bytes) -> MailboxError:
    """The server takes no more; why, if it said so before it went."""
    while not isinstance(status := dialogue.next(tag), Status):
        pass
    return _answered_early(dialogue, status, close=True)


def _answered_early(dialogue: Dialogue, status: Status, *, close: bool) -> MailboxError:
    """An OK before the end of the command is no answer to it."""
    return dialogue.broken() if status.kind == "OK" else _refused(dialogue, status, close=close)


def _refused(dialogue: Dialogue, status: Status, *, close: bool) -> MailboxError:
    if close:
        dialogue.reset()
    return dialogue.refused(meaning.refused_append(status, connection_closed=close))


def _body(message: AnyMessage) -> Body:
    return message.read() if isinstance(message, LargeMessage) else Body(len(message.body), (message.body,))


def _parts(
    dialogue: Dialogue,
    tag: bytes,
    mailbox: bytes,
    heads: Sequence[bytes],
    bodies: Sequence[Body],
    literals: Literals,
) -> Iterator[bytes | bytearray | memoryview | _Wait]:
    """All of the command but its last line break, in blocks worth a system call."""
    block = bytearray(b"%b APPEND %b" % (tag, mailbox))
    for head, body in zip(heads, bodies, strict=True):
        block += head
        if body.size > literals.unasked:
            yield block
            yield _Wait()
            block = bytearray()
        for piece in _read(dialogue, body):
            if len(piece) > BLOCK:
                if block:
                    yield block
                yield memoryview(piece)
                block = bytearray()
                continue
            block += piece
            if len(block) > BLOCK:
                yield block
                block = bytearray()
    if block:
        yield block


def _read(dialogue: Dialogue, body: Body) -> Iterator[bytes]:
    """What has been begun can't be ended without all of the body."""
    try:
        yield from body.pieces
    except Exception:
        dialogue.reset()
        raise


def _head(message: AnyMessage, size: int, literals: Literals) -> bytes:
    """Flags, date and the announcement of the literal.

    They come from another server: what is no flag or no date is refused here,
    as it could end the command and begin another.
    """
    flags = _flags(message.flags)
    date = message.internaldate
    if date and not _DATE.fullmatch(date):
        raise AppendRefused(Reason.MESSAGE_REFUSED, about="date")
    if date[1:2] == "-":  # RFC 3501: date-day-fixed has two characters
        date = f" {date}"
    plus = "+" if size <= literals.unasked else ""
    quoted = f' "{date}"' if date else ""
    return f" ({flags}){quoted} {{{size}{plus}}}\r\n".encode("latin-1")


@lru_cache(4096)
def _flags(flags: tuple[str, ...]) -> str:
    if not all(_FLAG.fullmatch(flag) for flag in flags):
        raise AppendRefused(Reason.MESSAGE_REFUSED, about="flags")
    return " ".join(flags)


def _appended(status: Status, count: int) -> Appended:
    """APPENDUID, if it names as many messages as were sent."""
    validity, _, uids = status.argument.partition(" ")
    try:
        if status.code != "APPENDUID" or uidset.count(uids) != count:
            return UNKNOWN
        return Appended(uidvalidity=int(validity), uids=tuple(uidset.decode(uids)))
    except ValueError:
        return UNKNOWN
