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
_BLANK = b"\r\n\r\n"
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


def fragile(body: bytes) -> bytes:
    """The part of a message that servers are known to change without changing its size: none, its header, or all.

    The header is what a server gives for BODY[HEADER]; all where servers may differ about its end.
    """
    if b"\0" in body:
        return body
    end = _end_of_header(body)
    if body[:end].isascii():
        return b""
    header = body[: end + len(_BLANK)]
    lines = header.count(b"\r\n")
    return header if header.endswith(_BLANK) and header.count(b"\n") == header.count(b"\r") == lines else body


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


def header_digests(session: Session, uids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """(UID, digest) of each header in the examined folder that is there; empty when the server won't hand it out."""
    for chunk in uidset.chunks(uids):
        missing = dict.fromkeys(uidset.decode(chunk))
        try:
            for uid, header in session.headers(chunk):
                missing.pop(uid, None)
                yield uid, exact((header,))
        except FetchRefused:
            yield from dict.fromkeys(missing, b"").items()


def _end_of_header(body: bytes) -> int:
    end = body.find(_BLANK, 0, _HEADER)
    return min(len(body), _HEADER) if end < 0 else end
