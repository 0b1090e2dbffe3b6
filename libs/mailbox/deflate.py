"""The bytes of one connection after COMPRESS=DEFLATE (RFC 4978)."""

import zlib

from typing_extensions import Buffer

# At 20 Mbit/s text goes four times as fast; higher levels cost more of the processor than they save of a link.
LEVEL = 1
WINDOW_BITS = -15  # RFC 4978 section 3: raw deflate, RFC 1951


class Deflate:
    """One direction each for the thread that sends and the one that reads."""

    def __init__(self, received: bytes = b"") -> None:
        """`received`: what has come after the answer to COMPRESS."""
        self._inflater = zlib.decompressobj(WINDOW_BITS)
        self._deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS)
        self._received = received

    def pack(self, data: Buffer) -> bytes:
        """A block of its own: who has all of it can read all of `data`, and nothing that is sent later."""
        return self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)

    def feed(self, received: bytes) -> None:
        """When `unpack` gives nothing more."""
        self._received = received

    def unpack(self, most: int) -> bytes:
        """At most so many bytes of what was received, however small they were packed; b"" when more must be fed.

        Raises:
            ConnectionResetError: it is not deflate, or the other side has ended it.
        """
        if self._inflater.eof:
            raise ConnectionResetError
        try:
            data = self._inflater.decompress(self._received, most)
        except zlib.error as error:
            raise ConnectionResetError from error
        self._received = self._inflater.unconsumed_tail
        return data
