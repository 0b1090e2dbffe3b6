"""What tells messages apart when nothing else does: the sha256 of their bytes.

Dovecot stores NUL as 0x80, and Cyrus 8-bit bytes of a header as X (docs/servers.md). The size does not
show it: such a message is recognised by its bytes after both changes, and an audit looks at the bytes it has.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from libs.contracts import uidset
from libs.mailbox.errors import FetchRefused, MessageTooLarge
from libs.mailbox.port import Session

Digest = Callable[[Iterable[bytes]], bytes]  # of a message whole, or of its pieces

_HEADER = 256 * 1024  # bytes in which a header ends; the first piece of a larger message has as many
_WITHOUT_8_BIT = bytes(range(0x80)) + b"X" * 0x80


def exact(pieces: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def recognising(pieces: Iterable[bytes]) -> bytes:
    """The same for a message that was stored and for the one that was sent."""
    digest = hashlib.sha256()
    for number, piece in enumerate(pieces):
        end = 0 if number else _end_of_header(piece)
        if not piece[:end].isascii():
            digest.update(piece[:end].translate(_WITHOUT_8_BIT).replace(b"\0", b"\x80"))
            piece = piece[end:]
        digest.update(piece.replace(b"\0", b"\x80") if b"\0" in piece else piece)
    return digest.digest()


def is_fragile(body: bytes) -> bool:
    """Whether servers are known to change such a message without changing its size."""
    return b"\0" in body or not body[: _end_of_header(body)].isascii()


def digests(session: Session, uids: Iterable[int], digest: Digest = recognising) -> Iterator[tuple[int, bytes]]:
    """(UID, digest) of each message of the examined folder that is there and that the server hands out."""
    for chunk in uidset.chunks(uids):
        missing = dict.fromkeys(uidset.decode(chunk))
        try:
            for message in session.fetch(chunk):
                missing.pop(message.uid, None)
                yield message.uid, digest((message.body,))
        except FetchRefused as refused:
            if uidset.count(chunk) > 1:
                for uid in missing:
                    yield from digests(session, [uid], digest)
            elif isinstance(refused, MessageTooLarge):
                with suppress(FetchRefused):
                    (uid,) = missing
                    yield uid, digest(session.body(uid).pieces)


def _end_of_header(body: bytes) -> int:
    end = body.find(b"\r\n\r\n", 0, _HEADER)
    return min(len(body), _HEADER) if end < 0 else end
