"""What tells messages apart when nothing else does: the sha256 of their bytes.

Dovecot stores NUL as 0x80, and Cyrus 8-bit bytes of a header as X (docs/servers.md). The size does not
show it: such a message is recognised by its bytes after both changes, and an audit looks at the bytes it has.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from libs.contracts import uidset
from libs.mailbox.errors import FetchRefused
from libs.mailbox.port import Session

_WITHOUT_8_BIT = bytes(range(0x80)) + b"X" * 0x80


def exact(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def recognising(body: bytes) -> bytes:
    """The same for a message that was stored and for the one that was sent."""
    if is_fragile(body):
        end = _end_of_header(body)
        body = (body[:end].translate(_WITHOUT_8_BIT) + body[end:]).replace(b"\0", b"\x80")
    return exact(body)


def is_fragile(body: bytes) -> bool:
    """Whether servers are known to change such a message without changing its size."""
    return b"\0" in body or not body[: _end_of_header(body)].isascii()


def digests(
    session: Session, uids: Iterable[int], digest: Callable[[bytes], bytes] = recognising
) -> Iterator[tuple[int, bytes]]:
    """(UID, digest) of each message of the examined folder that is there and that the server hands out."""
    for chunk in uidset.chunks(uids):
        missing = dict.fromkeys(uidset.decode(chunk))
        try:
            for message in session.fetch(chunk):
                missing.pop(message.uid, None)
                yield message.uid, digest(message.body)
        except FetchRefused:
            if uidset.count(chunk) > 1:
                for uid in missing:
                    yield from digests(session, [uid], digest)


def _end_of_header(body: bytes) -> int:
    end = body.find(b"\r\n\r\n")
    return len(body) if end < 0 else end
