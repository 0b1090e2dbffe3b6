"""What servers say, and what hostile ones say."""

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.reasons import Reason
from libs.mailbox.errors import MailboxError, ProtocolBroken
from libs.mailbox.folders import folder, namespace
from libs.mailbox.parse import Continuation, Response, Tagged, Untagged, Value, parse_response


class Said:
    """A server's words; what comes after them is the end of the connection."""

    def __init__(self, words: bytes) -> None:
        self._words = io.BytesIO(words)

    def readline(self) -> bytes:
        return self._some(self._words.readline())

    def read(self, size: int) -> bytes:
        data = self._words.read(size)
        if len(data) < size:
            raise ProtocolBroken(Reason.CONNECTION_LOST)
        return data

    def skip(self, size: int) -> None:
        self.read(size)

    def broken(self) -> ProtocolBroken:
        return ProtocolBroken(Reason.PROTOCOL)

    def _some(self, data: bytes) -> bytes:
        if not data:
            raise ProtocolBroken(Reason.CONNECTION_LOST)
        return data


def response(words: bytes) -> Response:
    said = Said(words)
    return parse_response(said, said.readline())


def untagged(words: bytes) -> Untagged:
    found = response(words)
    assert isinstance(found, Untagged)
    return found


def values(words: bytes) -> list[Value]:
    return untagged(words).rest.values()


def test_values_are_atoms_strings_literals_nil_and_lists() -> None:
    assert values(b'* X a "b c" {3}\r\nd\r\n ~{1}\r\n\0 NIL nil "NIL" () (1 (2 "\\"\\\\") 3)\r\n') == [
        b"a",
        b"b c",
        b"d\r\n",
        b"\0",
        None,
        None,
        b"NIL",
        [],
        [b"1", [b"2", b'"\\'], b"3"],
    ]


def test_fetch_items_come_in_any_order() -> None:
    items = untagged(
        b'* 12 FETCH (BODY[HEADER.FIELDS (From "To")] {4}\r\nab\r\n FLAGS (\\Seen $Label1) UID 7 '
        b'INTERNALDATE " 1-Jul-1996 02:44:25 -0700" BODY[]<0> "x" RFC822.SIZE 44)\r\n'
    ).rest.items()

    assert items == {
        b'BODY[HEADER.FIELDS (FROM "TO")]': b"ab\r\n",
        b"FLAGS": [b"\\Seen", b"$Label1"],
        b"UID": b"7",
        b"INTERNALDATE": b" 1-Jul-1996 02:44:25 -0700",
        b"BODY[]<0>": b"x",
        b"RFC822.SIZE": b"44",
    }


def test_a_nil_body_is_none() -> None:
    assert untagged(b"* 1 FETCH (UID 1 BODY[] NIL)\r\n").rest.items()[b"BODY[]"] is None


def test_a_status_tells_code_argument_and_text() -> None:
    found = response(b"A1 NO [OVERQUOTA] Quota \x07 exceeded {5}\r\n")

    assert isinstance(found, Tagged)
    assert (found.status.kind, found.status.code, found.status.argument) == ("NO", "OVERQUOTA", "")
    assert found.status.text == "Quota   exceeded {5}"
    appended = response(b"A1 OK [APPENDUID 38505 3955,4:5] done\r\n")
    assert isinstance(appended, Tagged)
    assert appended.status.argument == "38505 3955,4:5"


def test_a_text_that_ends_like_a_literal_is_no_literal() -> None:
    assert untagged(b"* OK see {10}\r\n").status


def test_a_continuation_needs_no_text() -> None:
    assert isinstance(response(b"+\r\n"), Continuation)
    assert isinstance(response(b"+ go on\r\n"), Continuation)


def test_what_nobody_wants_is_skipped_with_its_literals() -> None:
    said = Said(b'* FUNNY ({3}\r\n\r\n) "{5}" {2}\r\n* ] }\r\n* 1 EXISTS\r\n')
    first = parse_response(said, said.readline())
    assert isinstance(first, Untagged)

    first.rest.skip()

    second = parse_response(said, said.readline())
    assert isinstance(second, Untagged)
    assert (second.kind, second.number) == (b"EXISTS", 1)


@pytest.mark.parametrize(
    "words",
    [
        b"* 1 FETCH (UID 1\r\n",
        b"* 1 FETCH UID 1\r\n",
        b"* 1 FETCH (UID )\r\n",
        b"* 1 FETCH (UID 1) and more\r\n",
        b'* 1 FETCH (UID "1)\r\n',
        b"* 1 FETCH (BODY[] {9999999999999}\r\n",
        b"* 1 FETCH (X {99999999}\r\n",
        b"* 1 FETCH (X " + b"(" * 10_000 + b")" * 10_000 + b")\r\n",
        b"* 1 FETCH (BODY[HEADER {3}\r\nabc)\r\n",
    ],
)
def test_what_is_no_fetch_response_is_refused(words: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        untagged(words).rest.items()


@pytest.mark.parametrize(
    "words", [b"\r\n", b"*\r\n", b"* \r\n", b"hello\r\n", b"220 mail.example ESMTP\r\n", b"\xff\r\n"]
)
def test_what_is_no_response_is_refused(words: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        response(words)


@pytest.mark.parametrize(
    "words",
    [
        b"* X " + b'"' + b"\\" * 500_000 + b"\r\n",
        b"* X" + b" " * 1_000_000 + b"\r\n",
        b"* X " + b"a\\(" * 300_000 + b"\r\n",
        b'* X "' + b'\\"' * 400_000 + b"\r\n",
        b"* 1 FETCH (" + b"a" * 1_000_000 + b"\r\n",
        b"* 1 FETCH (A" + b"[" * 1_000_000 + b"\r\n",
        b"* OK [" + b"a" * 1_000_000 + b"\r\n",
    ],
)
def test_the_time_for_a_line_grows_with_its_length_only(words: bytes) -> None:
    started = time.process_time()
    try:
        found = untagged(words)
        if found.kind == b"FETCH":
            found.rest.items()
        else:
            found.rest.values()
    except ProtocolBroken:
        pass

    assert time.process_time() - started < 1


@given(st.binary(max_size=300))
def test_no_bytes_make_more_of_a_mess_than_an_error(noise: bytes) -> None:
    for beginning in (b"", b"* ", b"* 1 FETCH (", b"* 1 FETCH (UID 1 BODY[] ", b"* LIST (", b"A1 OK ["):
        try:
            found = response(beginning + noise + b"\r\n")
            if isinstance(found, Untagged):
                if found.kind == b"FETCH":
                    found.rest.items()
                elif found.kind == b"LIST":
                    folder(found.rest.values())
                else:
                    found.rest.skip()
        except MailboxError:
            pass


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(lambda text: text.encode())


def written(value: Value) -> bytes:
    if value is None:
        return b"NIL"
    if isinstance(value, list):
        return b"(" + b" ".join(written(member) for member in value) + b")"
    if len(value) % 2 and b"\n" not in value and b"\r" not in value:
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


@given(
    st.lists(
        st.recursive(st.none() | st.binary(max_size=30) | PRINTABLE, lambda inner: st.lists(inner, max_size=4)),
        max_size=5,
    )
)
def test_whatever_is_written_is_read_back(wanted: list[Value]) -> None:
    assert values(b"* X " + b" ".join(written(value) for value in wanted) + b"\r\n") == wanted


def test_a_folder_has_attributes_delimiter_and_name() -> None:
    found = folder(values(b'* LIST (\\HasNoChildren \\sent) "/" "Gesendet/&AOQ-\\"\\\\"\r\n'))

    assert found
    assert (found.wire, found.name) == ('Gesendet/&AOQ-"\\', 'Gesendet/ä"\\')
    assert (found.special_use, found.selectable, found.delimiter) == ("\\Sent", True, "/")


def test_a_folder_may_be_a_literal_without_delimiter_that_cannot_be_opened() -> None:
    found = folder(values(b'* LIST (\\NonExistent) NIL {5}\r\na"b\\c\r\n'), frozenset({'a"b\\c'}))

    assert found
    assert (found.wire, found.delimiter, found.selectable, found.subscribed) == ('a"b\\c', None, False, True)


def test_the_inbox_is_inbox_in_any_letter_case() -> None:
    found = folder(values(b"* LIST () NIL Inbox\r\n"))

    assert found
    assert (found.wire, found.name) == ("Inbox", "INBOX")


def test_a_response_without_name_is_no_folder() -> None:
    assert folder(values(b'* LIST (\\Noselect) "/" ""\r\n')) is None
    assert folder(values(b"* LIST\r\n")) is None


def test_the_first_personal_namespace_counts() -> None:
    found = namespace(values(b'* NAMESPACE (("INBOX." ".")("x" "/")) (("Other." ".")) NIL\r\n'))

    assert found
    assert (found.prefix, found.delimiter) == ("INBOX.", ".")
    assert (found.also_personal, found.foreign) == ({"x"}, {"Other."})
    assert namespace(values(b"* NAMESPACE NIL NIL NIL\r\n")) is None
