"""By what a message is recognised on a server that does not keep it as it was (COPYING rule 15). Pure."""

from collections.abc import Hashable

from libs.contracts.survives import Survives
from libs.mailbox.digests import recognising
from libs.mailbox.identity import FIELDS, identify
from libs.mailbox.port import Listed

_NAMES = frozenset(FIELDS.lower().encode().split())


def key(listed: Listed, survives: Survives) -> Hashable | None:
    """Equal for a message and its copy where this much survives; None: nothing tells this message from others.

    `listed` must have been listed with its identity.
    """
    match survives:
        case "bytes" | "size":
            return listed.message_id, listed.header_digest, listed.size
        case "headers":
            return listed.message_id, listed.header_digest
        case "message_id":
            return listed.message_id
        case "none":
            return None


def survived(sent: bytes, stored: bytes, size: int) -> Survives:
    """What of a message is the same in its copy, of which the server says it had this size."""
    sized = size == len(sent)
    if recognising((stored,)) == recognising((sent,)):
        return "bytes" if sized else "headers"  # a listing can't tell more
    (message_id, digest), copy = identify(fields(sent)), identify(fields(stored))
    if (message_id, digest) == copy:
        return "size" if sized else "headers"
    return "message_id" if message_id and message_id == copy[0] else "none"


def fields(body: bytes) -> bytes:
    """The header fields that `identify` reads, as BODY[HEADER.FIELDS (…)] gives them."""
    head = body.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    kept: list[bytes] = []
    keeping = False
    for line in head.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            keeping = line.partition(b":")[0].strip().lower() in _NAMES
        if keeping:
            kept.append(line)
    return b"\r\n".join([*kept, b"", b""])
