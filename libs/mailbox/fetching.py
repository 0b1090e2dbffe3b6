"""UID FETCH, streamed: each message is given out as it comes, and what nobody asked for is passed over."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from libs.contracts.reasons import Reason
from libs.mailbox import meaning
from libs.mailbox.dialogue import Dialogue
from libs.mailbox.errors import FetchRefused, MessageTooLarge
from libs.mailbox.identity import FIELDS, identify
from libs.mailbox.parse import MAX_LITERAL, Status, Untagged, Value, number
from libs.mailbox.port import LARGE, Body, Listed, Message
from libs.mailbox.uidranges import UidRanges, split

AHEAD = 2  # commands on their way while one is answered
HELD = 2 * LARGE  # bytes of a body in memory: some servers tell sizes that are only about right
PIECE = 256 * 1024

T = TypeVar("T")
Items = dict[bytes, Value]


@dataclass(frozen=True, slots=True)
class Wish(Generic[T]):
    """What is asked of each message, and what is made of the answer.

    Most servers answer in the order of the question. That shape is read with one
    regular expression, three times as fast; any other order item by item.
    """

    items: str
    shape: re.Pattern[bytes]
    of_shape: Callable[[Dialogue, re.Match[bytes]], T]  # the first group is the UID
    of_items: Callable[[int, Items], T | None]  # None: some are still to come


def fetch(dialogue: Dialogue, uids: str, wish: Wish[T]) -> Iterator[T]:
    """One T for each message, in the server's order.

    A server may send the items of one message in several responses, flags
    that nobody asked for, and messages outside the set (its last one for `100:*`).

    Raises:
        FetchRefused: NO or BAD, after what was given.
    """
    wanted = UidRanges(uids)
    partial: dict[int, Items] = {}
    for response in _responses(dialogue, uids, wish):
        if isinstance(response, re.Match):
            made = wish.of_shape(dialogue, response)
            if int(response[1]) in wanted:
                yield made
            continue
        if response.kind != b"FETCH":
            continue
        items = response.rest.items()
        uid = number(items.get(b"UID"))
        if uid is None or uid not in wanted:
            continue
        if uid in partial:
            items = {**partial.pop(uid), **items}
        complete = wish.of_items(uid, items)
        if complete is None:
            partial[uid] = items
        else:
            yield complete


def _responses(dialogue: Dialogue, uids: str, wish: Wish[T]) -> "Iterator[Untagged | re.Match[bytes]]":
    commands = [f"UID FETCH {part} {wish.items}".encode("ascii") for part in split(uids)]
    tags: deque[bytes] = deque()
    for index, command in enumerate(commands):
        tags.append(dialogue.ask_also(command) if index else dialogue.ask(command))
        while len(tags) > AHEAD or (tags and index == len(commands) - 1):
            tag = tags.popleft()
            while not isinstance(response := dialogue.next_shaped(tag, wish.shape), Status):
                if isinstance(response, re.Match | Untagged):
                    yield response
            if response.kind != "OK" and response.code != "EXPUNGEISSUED":  # RFC 5530: some are gone
                raise dialogue.refused(meaning.refused_fetch(response))


# ---- size and date


def _listed_shape(_dialogue: Dialogue, match: re.Match[bytes]) -> Listed:
    uid, size, date = match.groups()
    return Listed(int(uid), int(size), date.decode("latin-1"))


def _listed(uid: int, items: Items) -> Listed | None:
    size, date = number(items.get(b"RFC822.SIZE")), _text(items, b"INTERNALDATE")
    return None if size is None or date is None else Listed(uid, size, date)


_LISTED = rb'\* \d+ FETCH \(UID (\d{1,10}) RFC822\.SIZE (\d{1,19}) INTERNALDATE "([^"\\\r\n]*)"'
LISTING = Wish("(UID RFC822.SIZE INTERNALDATE)", re.compile(_LISTED + rb"\)\r\n"), _listed_shape, _listed)


# ---- size, date and identity


def _identified_shape(dialogue: Dialogue, match: re.Match[bytes]) -> Listed:
    uid, size, date, length = match.groups()
    fields = dialogue.read(int(length))
    dialogue.finish()
    return Listed(int(uid), int(size), date.decode("latin-1"), *identify(fields))


def _identified(uid: int, items: Items) -> Listed | None:
    listed = _listed(uid, items)
    for name, fields in items.items():
        if listed and name.startswith(b"BODY[HEADER"):
            return Listed(
                uid, listed.size, listed.internaldate, *identify(fields if isinstance(fields, bytes) else b"")
            )
    return None


IDENTITY = Wish(
    f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS ({FIELDS})])",
    re.compile(_LISTED + rb" BODY\[HEADER[^\]\r\n]*\] \{(\d{1,6})\}\r\n"),
    _identified_shape,
    _identified,
)


# ---- whole messages


def _message_shape(dialogue: Dialogue, match: re.Match[bytes]) -> Message:
    uid, flags, date, length = match.groups()
    if (size := int(length)) > MAX_LITERAL:
        raise dialogue.broken()
    if size > HELD:
        dialogue.skip(size)
        dialogue.finish()
        raise MessageTooLarge(Reason.MESSAGE_UNREADABLE)
    body = dialogue.read(size)
    dialogue.finish()
    return Message(int(uid), _understood(flags), date.decode("latin-1"), body)


def _message(uid: int, items: Items) -> Message | None:
    """
    Raises:
        FetchRefused: the server has the message and gives NIL for its text.
    """
    if b"BODY[]" in items and items[b"BODY[]"] is None:
        raise FetchRefused(Reason.MESSAGE_UNREADABLE)
    body, date = items.get(b"BODY[]"), _text(items, b"INTERNALDATE")
    if not isinstance(body, bytes) or date is None or b"FLAGS" not in items:
        return None
    return Message(uid, _flags(items[b"FLAGS"]), date, body)


MESSAGES = Wish(
    "(UID FLAGS INTERNALDATE BODY.PEEK[])",
    re.compile(
        rb'\* \d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()"{\r\n]*)\) INTERNALDATE "([^"\\\r\n]*)"'
        rb" BODY\[\] \{(\d{1,19})\}\r\n"
    ),
    _message_shape,
    _message,
)


# ---- whole headers


def _header_shape(dialogue: Dialogue, match: re.Match[bytes]) -> tuple[int, bytes]:
    header = dialogue.read(int(match[2]))
    dialogue.finish()
    return int(match[1]), header


def _header(uid: int, items: Items) -> tuple[int, bytes] | None:
    header = items.get(b"BODY[HEADER]")
    return (uid, header) if isinstance(header, bytes) else None


HEADERS = Wish(
    "(UID BODY.PEEK[HEADER])",
    re.compile(rb"\* \d+ FETCH \(UID (\d{1,10}) BODY\[HEADER\] \{(\d{1,6})\}\r\n"),
    _header_shape,
    _header,
)


# ---- bodies in pieces

_BODY = re.compile(rb"\* \d+ FETCH \([^{\r\n]*BODY\[\] \{(\d{1,19})\}\r\n")


def body(dialogue: Dialogue, uid: int) -> Body:
    """
    Raises:
        FetchRefused: NO, BAD, or the message did not come.
    """
    tag = dialogue.ask(b"UID FETCH %d (BODY.PEEK[])" % uid)
    while not isinstance(response := dialogue.next_shaped(tag, _BODY), re.Match):
        if isinstance(response, Status):
            raise (
                FetchRefused(Reason.MESSAGE_UNREADABLE)
                if response.kind == "OK"
                else dialogue.refused(meaning.refused_fetch(response))
            )
    if (size := int(response[1])) > MAX_LITERAL:
        raise dialogue.broken()

    def pieces() -> Iterator[bytes]:
        for start in range(0, size, PIECE):
            yield dialogue.read(min(PIECE, size - start))
        dialogue.finish()
        while not isinstance(dialogue.next(tag), Status):
            pass

    return Body(size, pieces())


# ---- flags


def _flagged_shape(_dialogue: Dialogue, match: re.Match[bytes]) -> tuple[int, tuple[str, ...]]:
    return int(match[1]), _understood(match[2])


def _flagged(uid: int, items: Items) -> tuple[int, tuple[str, ...]] | None:
    return (uid, _flags(items[b"FLAGS"])) if b"FLAGS" in items else None


FLAGS = Wish(
    "(UID FLAGS)",
    re.compile(rb'\* \d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()"{\r\n]*)\)\)\r\n'),
    _flagged_shape,
    _flagged,
)


# ---- Gmail's number of a message


def _gmail_id_shape(_dialogue: Dialogue, match: re.Match[bytes]) -> tuple[int, int]:
    return int(match[1]), int(match[2])


def _gmail_id(uid: int, items: Items) -> tuple[int, int] | None:
    found = number(items.get(b"X-GM-MSGID"))
    return None if found is None else (uid, found)


GMAIL_IDS = Wish(
    "(UID X-GM-MSGID)",
    re.compile(rb"\* \d+ FETCH \(UID (\d{1,10}) X-GM-MSGID (\d{1,20})\)\r\n"),
    _gmail_id_shape,
    _gmail_id,
)


def _flags(value: Value) -> tuple[str, ...]:
    return _without_recent([flag for flag in value if isinstance(flag, bytes)] if isinstance(value, list) else [])


@lru_cache(4096)
def _understood(flags: bytes) -> tuple[str, ...]:
    """A folder's messages have few different lists of flags."""
    return _without_recent(flags.split())


def _without_recent(flags: list[bytes]) -> tuple[str, ...]:
    """Nobody can set \\Recent."""
    return tuple(flag.decode("latin-1") for flag in flags if flag.lower() != b"\\recent")


def _text(items: Items, name: bytes) -> str | None:
    """None: it has not come; "": the server says NIL."""
    if name not in items:
        return None
    value = items[name]
    return value.decode("latin-1") if isinstance(value, bytes) else ""
