"""Folder names between the wire and people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.mailbox.names import decode_name, encode_name, quoted

WIRE = st.text(st.characters(min_codepoint=0, max_codepoint=255))
NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("INBOX", "INBOX"),
        ("Entw&APw-rfe", "Entwürfe"),
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),  # RFC 3501 section 5.1.3
        ("A &- B", "A & B"),
        ("&2D3eAA- x", "😀 x"),
        ('say "hi" \\ there', 'say "hi" \\ there'),
        ("a&AAo-b", "a\nb"),
    ],
)
def test_a_name_and_its_wire_name_lead_to_each_other(wire: str, name: str) -> None:
    assert decode_name(wire) == name
    assert encode_name(name) == wire


@pytest.mark.parametrize("wire", ["&Jjo", "&Jjo!-", "&2D0-", "&A-", "100 % & more", "&&&", "&\xfc-"])
def test_what_is_not_modified_utf7_stays_as_it_stands(wire: str) -> None:
    assert decode_name(wire) == wire


def test_raw_bytes_are_read_as_utf8_where_they_are() -> None:
    assert decode_name("Grüße".encode().decode("latin-1")) == "Grüße"
    assert decode_name("Gr\xfc\xdfe") == "Grüße"


@given(NAMES)
def test_every_name_survives_the_wire(name: str) -> None:
    wire = encode_name(name)

    assert decode_name(wire) == name
    assert wire.isascii()
    assert wire.isprintable()


@given(WIRE)
def test_every_wire_name_can_be_shown_and_sent(wire: str) -> None:
    decode_name(wire).encode("utf-8")
    assert quoted(wire)[1:-1].replace(b"\\\\", b"\0").replace(b'\\"', b"\1").count(b'"') == 0
