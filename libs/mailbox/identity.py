"""What recognises a message on another server: its Message-ID and a digest of six header fields. Pure."""

from hashlib import blake2b

FIELDS = "FROM TO CC DATE SUBJECT MESSAGE-ID"
DIGEST_BYTES = 16

# A server may write X for each 8-bit byte of a header (Cyrus does), so they are all alike here.
_ALIKE = bytes.maketrans(
    bytes(range(ord("A"), ord("Z") + 1)) + bytes(range(0x80, 0x100)),
    bytes(range(ord("a"), ord("z") + 1)) + b"x" * 0x80,
)
_MESSAGE_ID = b"\nmessage-id:"
_FOLD = b"\n\0"  # stands for a line break before white space (RFC 5322 section 2.2.3)


def identify(fields: bytes) -> tuple[str | None, bytes]:
    """Message-ID (None without one) and digest of BODY[HEADER.FIELDS (…)].

    The digest is the same however a server folds or orders the fields, and
    whatever letter case, white space and 8-bit bytes it writes. It works on the whole block
    at once, which takes half the time of going field by field.
    """
    block = b"\n" + fields
    if b"\n " in block or b"\n\t" in block:
        block = block.replace(b"\n ", _FOLD).replace(b"\n\t", _FOLD).replace(b"\r" + _FOLD, b" ").replace(_FOLD, b" ")
    small = block.translate(_ALIKE)
    message_id = None
    start = small.find(_MESSAGE_ID)
    if start >= 0:
        start += len(_MESSAGE_ID)
        end = block.find(b"\n", start)
        message_id = block[start : end if end >= 0 else None].strip().decode("latin-1") or None
    lines = [b" ".join(line.split()) for line in small.split(b"\n")]
    lines.sort()
    digest = blake2b(b"\n".join(lines).replace(b": ", b":").lstrip(b"\n"), digest_size=DIGEST_BYTES)
    return message_id, digest.digest()
