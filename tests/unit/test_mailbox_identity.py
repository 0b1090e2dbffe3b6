"""What recognises a message on another server."""

from libs.mailbox.identity import identify

FIELDS = (
    b"From: A <a@example.org>\r\n"
    b"To: b@example.org, c@example.org\r\n"
    b"Subject: one two three\r\n"
    b"Message-ID: <1@example.org>\r\n\r\n"
)


def test_order_folding_and_white_space_of_the_server_do_not_matter() -> None:
    other = (
        b"message-id:  <1@example.org>\r\n"
        b"SUBJECT: one\r\n two\r\n\t three\r\n"
        b"To: b@example.org,\n  c@example.org\n"
        b"From:A <a@example.org>\r\n"
    )

    assert identify(other) == identify(FIELDS)
    assert identify(FIELDS)[0] == "<1@example.org>"
    assert len(identify(FIELDS)[1]) == 16


def test_another_word_makes_another_digest() -> None:
    assert identify(FIELDS.replace(b"two", b"four"))[1] != identify(FIELDS)[1]
    assert identify(FIELDS.replace(b"To:", b"Cc:"))[1] != identify(FIELDS)[1]


def test_without_a_message_id_there_is_none() -> None:
    assert identify(FIELDS.replace(b"Message-ID: <1@example.org>\r\n", b""))[0] is None
    assert identify(b"Message-ID:\r\n\r\n")[0] is None
    assert identify(b"Subject: Message-ID: <x>\r\n\r\n")[0] is None
    assert identify(b"")[0] is None


def test_a_folded_message_id_is_one_word() -> None:
    assert identify(b"Message-ID:\r\n <1@example.org>\r\n\r\n")[0] == "<1@example.org>"


def test_a_server_that_writes_x_for_8_bit_bytes_changes_no_digest() -> None:
    raw = b"Subject: Gr\xfc\xdfe\r\n\r\n"

    assert identify(raw)[1] == identify(raw.replace(b"\xfc\xdf", b"XX"))[1]
