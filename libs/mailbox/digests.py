"""What tells messages apart when nothing else does: the sha256 of their bytes."""

import hashlib
from collections.abc import Iterable, Iterator

from libs.contracts import uidset
from libs.mailbox.errors import FetchRefused
from libs.mailbox.port import Session


def digests(session: Session, uids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """(UID, digest) of each message of the examined folder that is there and that the server hands out."""
    for chunk in uidset.chunks(uids):
        missing = dict.fromkeys(uidset.decode(chunk))
        try:
            for message in session.fetch(chunk):
                missing.pop(message.uid, None)
                yield message.uid, hashlib.sha256(message.body).digest()
        except FetchRefused:
            if uidset.count(chunk) > 1:
                for uid in missing:
                    yield from digests(session, [uid])
