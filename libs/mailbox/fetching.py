"""UID FETCH, streamed: each message is given out as it comes, and what nobody asked for is passed over."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from libs.contracts.reasons import Reason
from libs.mailbox import meaning
from libs.mailbox.dialogue import Dialogue
from libs.mailbox.errors import FetchRefused
from libs.mailbox.identity import FIELDS, identify
from libs.mailbox.parse import Status, Untagged, Value, number
from libs.mailbox.port import Listed, Message
from libs.mailbox.uidranges import UidRanges, split

AHEAD = 2  # commands on their way while one is answered

T = TypeVar("T")
Items = dict[bytes, Value]


def listing(dialogue: Dialogue, uids: str) -> Iterator[Listed]:
    return _fetch(dialogue, uids, "(UID RFC822.SIZE INTERNALDATE)", _listed)


def listing_with_identity(dialogue: Dialogue, uids: str) -> Iterator[Listed]:
    items = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS ({FIELDS})])"
    return _fetch(dialogue, uids, items, _listed_with_identity)


def messages(dialogue: Dialogue, uids: str) -> Iterator[Message]:
    return _fetch(dialogue, uids, "(UID FLAGS INTERNALDATE BODY.PEEK[])", _message)


def flags(dialogue: Dialogue, uids: str) -> dict[int, tuple[str, ...]]:
    return dict(_fetch(dialogue, uids, "(UID FLAGS)", _flagged))


def _fetch(dialogue: Dialogue, uids: str, items: str, made: Callable[[int, Items], T | None]) -> Iterator[T]:
    """What `made` makes of each message's items; None when some are still to come.

    A server may send the items of one message in several responses, and flags
    that nobody asked for in between.
    """
    wanted = UidRanges(uids) if uids else None
    partial: dict[int, Items] = {}
    for response in _responses(dialogue, uids, items):
        if response.kind != b"FETCH":
            continue
        found = response.rest.items()
        uid = number(found.get(b"UID"))
        if uid is None or wanted is None or uid not in wanted:
            continue
        if partial and uid in partial:
            found = {**partial.pop(uid), **found}
        complete = made(uid, found)
        if complete is None:
            partial[uid] = found
        else:
            yield complete


def _responses(dialogue: Dialogue, uids: str, items: str) -> Iterator[Untagged]:
    commands = [f"UID FETCH {part} {items}".encode("ascii") for part in split(uids)]
    tags: deque[bytes] = deque()
    for index, command in enumerate(commands):
        tags.append(dialogue.ask_also(command) if index else dialogue.ask(command))
        while len(tags) > AHEAD or (tags and index == len(commands) - 1):
            tag = tags.popleft()
            while not isinstance(response := dialogue.next(tag), Status):
                if isinstance(response, Untagged):
                    yield response
            if response.kind != "OK" and response.code != "EXPUNGEISSUED":  # RFC 5530: some are gone
                raise meaning.refused_fetch(response)


def _listed(uid: int, items: Items) -> Listed | None:
    size, date = number(items.get(b"RFC822.SIZE")), _text(items, b"INTERNALDATE")
    return None if size is None or date is None else Listed(uid, size, date)


def _listed_with_identity(uid: int, items: Items) -> Listed | None:
    size, date = number(items.get(b"RFC822.SIZE")), _text(items, b"INTERNALDATE")
    if size is None or date is None:
        return None
    for name, fields in items.items():
        if name.startswith(b"BODY[HEADER"):
            return Listed(uid, size, date, *identify(fields if isinstance(fields, bytes) else b""))
    return None


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


def _flagged(uid: int, items: Items) -> tuple[int, tuple[str, ...]] | None:
    return (uid, _flags(items[b"FLAGS"])) if b"FLAGS" in items else None


def _flags(value: Value) -> tuple[str, ...]:
    """Without \\Recent, which nobody can set."""
    names = [flag.decode("latin-1") for flag in value if isinstance(flag, bytes)] if isinstance(value, list) else []
    return tuple(name for name in names if name.lower() != "\\recent")


def _text(items: Items, name: bytes) -> str | None:
    """None: it has not come; "": the server says NIL."""
    if name not in items:
        return None
    value = items[name]
    return value.decode("latin-1") if isinstance(value, bytes) else ""
