"""Deflate on a connection: nothing lost at block borders, nothing grown beyond what was asked for."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.mailbox.deflate import WINDOW_BITS, Deflate


def unpacked(deflate: Deflate, most: int = 1000) -> bytes:
    found = b""
    while data := deflate.unpack(most):
        assert len(data) <= most
        found += data
    return found


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 50), st.integers(1, 64))
def test_what_is_packed_comes_out_however_it_is_cut(blocks: list[bytes], step: int, most: int) -> None:
    ours, theirs = Deflate(), Deflate()
    packed = b"".join(ours.pack(block) for block in blocks)

    found = b""
    for start in range(0, len(packed), step):
        theirs.feed(packed[start : start + step])
        found += unpacked(theirs, most)

    assert found == b"".join(blocks)


def test_each_block_can_be_read_without_the_next() -> None:
    """The last line break of an append is nothing the server could have before it is sent (COPYING rule 7)."""
    ours, theirs = Deflate(), Deflate()
    body, end = ours.pack(b"A1 APPEND INBOX {5+}\r\nhello"), ours.pack(b"\r\n")

    theirs.feed(body)
    assert unpacked(theirs) == b"A1 APPEND INBOX {5+}\r\nhello"
    theirs.feed(end)
    assert unpacked(theirs) == b"\r\n"


def test_a_bomb_takes_no_more_memory_than_was_asked_for() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, WINDOW_BITS)
    bomb = packer.compress(bytes(200 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    deflate = Deflate()
    tracemalloc.start()

    deflate.feed(bomb)
    total = 0
    while data := deflate.unpack(1 << 16):
        total += len(data)

    assert total == 200 << 20
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("received", [b"* OK this is not deflate\r\n", b"\xff\xff\xff"])
def test_what_is_no_deflate_ends_the_connection(received: bytes) -> None:
    deflate = Deflate(received)

    with pytest.raises(ConnectionResetError):
        deflate.unpack(100)


def test_a_stream_that_was_ended_is_an_end() -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, WINDOW_BITS)
    deflate = Deflate(packer.compress(b"last words") + packer.flush())

    assert deflate.unpack(100) == b"last words"
    with pytest.raises(ConnectionResetError):
        deflate.unpack(100)
