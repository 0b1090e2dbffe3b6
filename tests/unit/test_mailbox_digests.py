"""Recognising messages that a server changed without changing their size."""

import pytest

from libs.mailbox.digests import exact, fragile, recognising
from libs.mailbox.fetching import PIECE

EIGHT_BIT = "Subject: Grüße\r\n\r\nbody\r\n".encode("latin-1")
NUL = b"Subject: a\r\n\r\nbo\0dy\r\n"


@pytest.mark.parametrize(
    ("sent", "stored"), [(EIGHT_BIT, b"Subject: GrXXe\r\n\r\nbody\r\n"), (NUL, NUL.replace(b"\0", b"\x80"))]
)
def test_a_message_is_recognised_after_the_changes_that_servers_make_in_secret(sent: bytes, stored: bytes) -> None:
    assert fragile(sent)
    assert recognising([sent]) == recognising([stored])
    assert exact([sent]) != exact([stored])


@pytest.mark.parametrize(
    "body",
    [b"Subject: a\r\n\r\n8-bit \xe4 in the body\r\n", b"Subject: a\r\n", b"", b"Subject: a\nbare\n\nlines\r", b"\r\n"],
)
def test_what_no_server_changes_in_secret_is_compared_as_it_is(body: bytes) -> None:
    assert not fragile(body)
    assert recognising([body]) == exact([body])


def test_a_header_without_an_end_may_be_fragile_everywhere() -> None:
    body = b"Subject: a\r\nTo: \xe4\r\n"

    assert fragile(body) == body


def test_of_an_8_bit_header_that_ends_alike_for_everybody_nothing_else_is_fragile() -> None:
    assert fragile(EIGHT_BIT) == EIGHT_BIT.removesuffix(b"body\r\n")


@pytest.mark.parametrize("header", [b"To: \xe4\n\nb\r\n", b"To: \xe4\r\nA: \n\r\n", b"To: \xe4\rA: b\r\n"])
def test_a_header_with_bare_line_breaks_makes_all_of_a_message_fragile(header: bytes) -> None:
    body = header + b"\r\nbody\r\n"

    assert fragile(body) == body


def test_a_message_in_pieces_has_the_digest_of_the_whole() -> None:
    body = "Subject: Größe\r\n\r\n".encode() + bytes(range(256)) * 3000
    pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]

    assert len(pieces) > 2
    assert recognising(pieces) == recognising([body])
    assert exact(pieces) == exact([body])
