"""What a server says, piece by piece (RFC 3501 section 9, RFC 9051).

Forgiving where servers differ, bounded everywhere. A response is a line, and
after a literal another line. Values are atoms, quoted strings and literals as
bytes, NIL as None, and lists. Each byte is looked at once.
"""

import re
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from libs.mailbox.errors import ProtocolBroken

Value: TypeAlias = "bytes | list[Value] | None"

MAX_LITERAL = 2**31  # a message
MAX_RESPONSE = 16 * 1024 * 1024  # all the rest of one response
MAX_DEPTH = 50
WHOLE = frozenset({b"BODY[]"})  # items that may be as large as a message
CLOSE: list[Value] = []  # stands for ")"

_VALUE = re.compile(rb' *(?:(\()|(\))|"([^"\\]*(?:\\.[^"\\]*)*)"|~?\{(\d{1,19})\+?\}\r?\n|([^\s()"]+))', re.DOTALL)
_OPEN, _CLOSE, _QUOTED, _LITERAL, _ATOM = range(1, 6)
_ITEM = re.compile(rb" *([A-Za-z0-9.\-]+(?:\[[^\]]*\])?(?:<\d+>)?)(?= )")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_END = re.compile(rb" *\r?\n")
_MARKER_LENGTH = 24
_MARKER = re.compile(rb"\{(\d{1,19})\+?\}\r?\n\Z")
_UNTAGGED = re.compile(rb"\* (?:(\d{1,10}) )?([A-Za-z][A-Za-z0-9-]*)(?= |\r?\n)")
_TAGGED = re.compile(rb"([A-Za-z0-9]+) (OK|NO|BAD)(?= |\r?\n)", re.IGNORECASE)
_CODE = re.compile(rb" *\[([^\s\]]+)(?: ([^\]]*))?\]")
_STATUSES = frozenset({b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_TEXT = 500  # characters kept of what a server says to people


class Source(Protocol):
    def readline(self) -> bytes: ...
    def read(self, size: int) -> bytes: ...
    def skip(self, size: int) -> None: ...
    def broken(self) -> ProtocolBroken:
        """Give the connection up; what to raise."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """OK, NO, BAD, BYE or PREAUTH with its response code (RFC 5530) and the text for people."""

    kind: str
    code: str  # upper case; "" without one
    argument: str
    text: str  # never for a log: it may name anything


@dataclass(frozen=True, slots=True)
class Tagged:
    tag: bytes
    status: Status


@dataclass(frozen=True, slots=True)
class Continuation:
    """The server waits for a literal."""


@dataclass(frozen=True, slots=True)
class Untagged:
    """One untagged response; `rest` stands behind its kind and must be read or skipped before the next."""

    kind: bytes  # upper case: b"FETCH", b"LIST", b"EXISTS"
    number: int  # 0 when there is none
    rest: "Scanner"
    status: Status | None = None  # of OK, NO, BAD, BYE, PREAUTH


Response = Tagged | Continuation | Untagged


class Scanner:
    """Reads the values of one response."""

    __slots__ = ("_budget", "_line", "_pos", "_source")

    def __init__(self, source: Source, line: bytes, pos: int) -> None:
        self._source = source
        self._line = line
        self._pos = pos
        self._budget = MAX_RESPONSE

    def value(self) -> "Value":
        value = self._value(MAX_RESPONSE, 0)
        if value is CLOSE:
            raise self._source.broken()
        return value

    def values(self) -> "list[Value]":
        """All that is left of the response."""
        values: list[Value] = []
        while not _END.match(self._line, self._pos):
            values.append(self.value())
        return values

    def items(self) -> "dict[bytes, Value]":
        """The parenthesised names and values of FETCH or STATUS, to the end of the response; names in upper case."""
        items: dict[bytes, Value] = {}
        line, pos = self._line, self._pos
        if line[pos : pos + 2] != b" (":
            raise self._source.broken()
        self._pos = pos + 2
        while match := _ITEM.match(self._line, self._pos):
            self._pos = match.end()
            name = match[1].upper()
            value = self._value(MAX_LITERAL if name in WHOLE else MAX_RESPONSE, 0)
            if value is CLOSE:
                raise self._source.broken()
            items[name] = value
        if self._value(0, 0) is not CLOSE or not _END.match(self._line, self._pos):
            raise self._source.broken()
        return items

    def skip(self) -> None:
        """Read past what is left, whatever it is."""
        while match := _MARKER.search(self._line, max(self._pos, len(self._line) - _MARKER_LENGTH)):
            self._source.skip(int(match[1]))
            self._next_line()

    def _value(self, limit: int, depth: int) -> "Value":
        match = _VALUE.match(self._line, self._pos)
        if match is None:
            raise self._source.broken()
        self._pos = match.end()
        kind = match.lastindex
        if kind == _ATOM:
            atom = match[_ATOM]
            return None if len(atom) == 3 and atom.upper() == b"NIL" else atom
        if kind == _QUOTED:
            quoted = match[_QUOTED]
            return _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        if kind == _LITERAL:
            return self._literal(int(match[_LITERAL]), limit)
        if kind == _CLOSE:
            return CLOSE
        if depth == MAX_DEPTH:
            raise self._source.broken()
        values: list[Value] = []
        while (value := self._value(MAX_RESPONSE, depth + 1)) is not CLOSE:
            values.append(value)
        return values

    def _literal(self, size: int, limit: int) -> bytes:
        if size > limit:
            raise self._source.broken()
        data = self._source.read(size)
        if limit == MAX_RESPONSE:
            self._budget -= size
        self._next_line()
        return data

    def _next_line(self) -> None:
        self._line = self._source.readline()
        self._pos = 0
        self._budget -= len(self._line)
        if self._budget < 0:
            raise self._source.broken()


def parse_response(source: Source, line: bytes) -> Response:
    """The response that begins with this line.

    Raises:
        ProtocolBroken: this is not IMAP.
    """
    if line[:2] == b"* ":
        match = _UNTAGGED.match(line)
        if match is None:
            raise source.broken()
        kind = match[2].upper()
        if kind in _STATUSES:
            return Untagged(kind, 0, Scanner(source, b"\r\n", 0), parse_status(kind, line[match.end() :]))
        return Untagged(kind, int(match[1] or 0), Scanner(source, line, match.end()))
    if line[:1] == b"+":
        return Continuation()
    match = _TAGGED.match(line)
    if match is None:
        raise source.broken()
    return Tagged(match[1], parse_status(match[2], line[match.end() :]))


def parse_status(kind: bytes, rest: bytes) -> Status:
    match = _CODE.match(rest)
    code, argument = (match[1].upper(), match[2] or b"") if match else (b"", b"")
    text = (rest[match.end() :] if match else rest).decode("utf-8", "replace")
    return Status(
        kind=kind.decode().upper(),
        code=code.decode("latin-1"),
        argument=argument.decode("latin-1"),
        text=_CONTROLS.sub(" ", text).strip()[:_TEXT],
    )


def number(value: "Value | str") -> int | None:
    """None when it is not a number of at most 64 bits."""
    return int(value) if isinstance(value, bytes | str) and len(value) < 20 and value.isdigit() else None
