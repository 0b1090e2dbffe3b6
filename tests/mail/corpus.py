"""Mail for tests: the same arguments give the same mail, byte for byte.

Streams: one message is in memory at a time, so a corpus may be larger than memory.
"""

import base64
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

# Share of the messages, by decoded name with "/" between levels. Twelve folders, one of them empty.
FOLDERS = {
    "INBOX": 0.30,
    "Sent": 0.14,
    "Drafts": 0.02,
    "Trash": 0.04,
    "Archive": 0.12,
    "Archive/2024": 0.14,
    "Archive/2024/Projekt Größe": 0.08,
    "Kunden & Freunde": 0.06,
    "日本語": 0.04,
    "日本語/重要": 0.02,
    'Quotes "and" \\backslashes\\': 0.04,
    "Leer": 0.0,
}
KEYWORDS = ("$Forwarded", "$MDNSent", "$Label1", "NonJunk", "Projekt-X", "todo")
ZONES = ("+0000", "-0800", "+0200", "+0530", "+0545", "-0330", "+1400", "-1200")  # of INTERNALDATE
MEGABYTE = 1 << 20
# What servers change or refuse (docs/servers.md).
AWKWARD = {
    "bare LF": b"Subject: bare LF\r\n\r\none\ntwo\r\n",
    "bare LF in the header": b"Subject: a\nX-Other: b\r\n\r\nbody\r\n",
    "bare CR": b"Subject: bare CR\r\n\r\none\rtwo\r\n",
    "CR CR LF": b"Subject: CR CR LF\r\n\r\none\r\r\ntwo\r\n",
    "NUL": b"Subject: NUL\r\n\r\none\0two\r\n",
    "8-bit header": "Subject: Grüße aus Köln\r\n\r\nbody\r\n".encode("latin-1"),
    "long line": b"Subject: long line\r\n\r\n" + b"x" * 12_000 + b"\r\n",
    "long header": b"Subject: " + b"y" * 12_000 + b"\r\n\r\nbody\r\n",
    "no header": b"\r\nnothing but a body\r\n",
    "no header and no blank line": b"just some text\r\n",
    "no body": b"Subject: no body\r\n\r\n",
    "no blank line": b"Subject: no blank line\r\n",
    "no line break at the end": b"Subject: no end\r\n\r\nend",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it is appended."""

    folder: str  # decoded, "/" between levels
    body: bytes
    flags: tuple[str, ...]  # system flags and keywords
    internaldate: str  # "17-Jul-1996 02:44:25 -0700"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A mailbox to be. In every folder 1 % (at least one of 20) have no Message-ID, 1 % equal the message before
    them, and one in 500 (at least one of 38) differs from the one before in a single byte.
    """

    messages: int
    median_bytes: int = 6_000
    sigma: float = 1.4  # of the log-normal sizes: the mean is median · e^(sigma²/2)
    large: int = 0  # how many of the messages have several megabytes
    seed: int = 2

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(FOLDERS)

    def mails(self) -> Iterator[Mail]:
        """All messages, folder by folder."""
        left = self.messages
        counts: dict[str, int] = {}
        for folder in reversed(FOLDERS):
            share = min(left, max(1, round(self.messages * FOLDERS[folder]))) if FOLDERS[folder] else 0
            counts[folder] = share
            left -= share
        counts["INBOX"] += left
        for folder in FOLDERS:
            yield from self._folder(folder, counts[folder])

    def more(self, folder: str, count: int, *, seed: int = 77) -> Iterator[Mail]:
        """`count` new messages for a folder, none equal to one of `mails()`."""
        yield from replace(self, messages=count, large=0, seed=seed)._folder(folder, count)

    def _folder(self, folder: str, count: int) -> Iterator[Mail]:
        chance = random.Random(f"{self.seed}/{folder}")
        every = min(100, max(20, count // 2))
        large_every = self.messages // self.large if self.large else 0
        mail: Mail | None = None
        for number in range(count):
            if mail and number % every == every // 2:
                # Equal in bytes; every second one also in flags and date.
                mail = mail if number % (2 * every) < every else replace(mail, internaldate=_date(chance))
            elif mail and number % min(500, max(40, count)) == 37:
                mail = replace(mail, body=mail.body[:-3] + b"!\r\n")
            else:
                size = int(chance.lognormvariate(0, self.sigma) * self.median_bytes)
                if large_every and number % large_every == large_every // 3:
                    size = chance.randrange(2 * MEGABYTE, 6 * MEGABYTE)
                body = _message(
                    chance,
                    name=f"{self.seed}.{number}.{chance.getrandbits(40):x}",
                    size=min(size, 6 * MEGABYTE),
                    message_id=number % every != 7,
                )
                mail = Mail(folder, body, _flags(chance, draft=folder == "Drafts"), _date(chance))
            yield mail


def five_thousand() -> Corpus:
    """5,000 messages in 12 folders, about 120 MB."""
    return Corpus(messages=5_000, large=12)


def small(messages: int = 200) -> Corpus:
    """The same kinds of mail, about 1 MB per hundred messages."""
    return Corpus(messages=messages, median_bytes=3_000, sigma=1.2)


def _flags(chance: random.Random, *, draft: bool) -> tuple[str, ...]:
    flags = [
        flag
        for flag, share in (("\\Seen", 0.7), ("\\Answered", 0.2), ("\\Flagged", 0.08), ("\\Deleted", 0.02))
        if chance.random() < share
    ]
    if draft or chance.random() < 0.01:
        flags.append("\\Draft")
    if chance.random() < 0.15:
        flags.extend(chance.sample(KEYWORDS, chance.randrange(1, 4)))
    return tuple(flags)


def _date(chance: random.Random) -> str:
    zone = chance.choice(ZONES)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) * (-1 if zone[0] == "-" else 1)
    at = datetime.fromtimestamp(chance.randrange(631_152_000, 1_735_689_600), timezone(offset))
    return internaldate(at)


def internaldate(at: datetime) -> str:
    """As APPEND wants it (RFC 9051, date-time), the day padded with a space."""
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[at.month - 1]
    return f"{at.day:2d}-{month}-{at.year:04d} {at:%H:%M:%S %z}"


SUBJECTS = (
    b"Quarterly figures",
    b"=?utf-8?q?Einladung_zum_Gr=C3=BCnkohlessen?=",
    "Grüße aus Köln".encode("latin-1"),  # raw 8-bit headers, as they are found in old mail
    "Größe und Maß".encode(),
    b"=?iso-2022-jp?b?GyRCJUYlOSVIGyhC?=",
    b"Re: Re: Fwd: folded\r\n\tsubject",
    b"",
)


def _message(chance: random.Random, *, name: str, size: int, message_id: bool) -> bytes:
    sent = datetime.fromtimestamp(chance.randrange(631_152_000, 1_735_689_600), UTC)
    head = [
        b"Received: from mx.example by imap.example; %b" % f"{sent:%a, %d %b %Y %H:%M:%S} +0000".encode(),
        b'From: "O\'Hara, Ann" <ann%d@example.org>' % chance.randrange(40),
        b"To: Ben <ben@example.net>, =?utf-8?q?J=C3=BCrgen?= <j@example.net>",
        b"Subject: " + chance.choice(SUBJECTS) + b" " + name.encode(),
        b"Date: %b" % f"{sent:%a, %d %b %Y %H:%M:%S} +0000".encode(),
    ]
    if message_id:
        head.append(f"Message-ID: <{name}@example.org>".encode())
    kind = chance.choices(KINDS, WEIGHTS)[0]
    return b"\r\n".join(head) + b"\r\n" + kind(chance, max(size, 40))


def _slice(pool: bytes, chance: random.Random, size: int) -> bytes:
    """`size` bytes of a pool of lines, ended by CRLF."""
    start = chance.randrange(len(pool) // 2)
    whole, rest = divmod(size, len(pool) // 2)
    half = pool[start : start + len(pool) // 2]
    return (half * whole + half[:rest]).rstrip(b"\r\n") + b"\r\n"


@cache
def _text(encoding: str) -> bytes:
    chance = random.Random(encoding)
    words = [
        "die",
        "Welt",
        "größer",
        "naïve",
        "Übung",
        "and",
        "of",
        "mail",
        "tide",
        "moves",
        "straße",
        "été",
        "façade",
        "to",
        "from",
        "with",
    ]
    lines = [" ".join(chance.choices(words, k=chance.randrange(1, 14))) for _ in range(12_000)]
    return "\r\n".join(lines).encode(encoding, "ignore")


@cache
def _attachment() -> bytes:
    return base64.encodebytes(random.Random("attachment").randbytes(MEGABYTE)).replace(b"\n", b"\r\n")


def _plain(chance: random.Random, size: int) -> bytes:
    return b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + _slice(_text("ascii"), chance, size)


def _eight_bit(chance: random.Random, size: int) -> bytes:
    encoding = chance.choice(("utf-8", "latin-1"))
    head = f"Content-Type: text/plain; charset={encoding}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode()
    return head + _slice(_text(encoding), chance, size)


def _multipart(chance: random.Random, size: int) -> bytes:
    edge = b"=_%x" % chance.getrandbits(64)
    return b"".join(
        (
            b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="%b"\r\n\r\nThis is MIME.\r\n' % edge,
            b"--%b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" % edge,
            _slice(_text("utf-8"), chance, min(size, 900)),
            b"--%b\r\nContent-Type: application/octet-stream; name*=utf-8''%%C3%%A4.bin\r\n" % edge,
            b"Content-Transfer-Encoding: base64\r\n\r\n",
            _slice(_attachment(), chance, size),
            b"--%b--\r\n" % edge,
        )
    )


def _bare_lines(chance: random.Random, size: int) -> bytes:
    """Bare LF and CR, which some servers keep and others turn into CRLF."""
    return b"\r\n" + _slice(_text("ascii"), chance, size).replace(b" of ", b"\nof\r")


def _looks_like_imap(chance: random.Random, size: int) -> bytes:
    """A body that a careless parser takes for the end of the literal, or for mbox."""
    trap = b') UID 1 FLAGS (\\Seen) BODY[] {12}\r\n.\r\nFrom - somebody\r\n* 1 EXPUNGE\r\na1 OK "\\\r\n'
    return b"\r\n" + trap + _slice(_text("ascii"), chance, size)


def _one_long_line(chance: random.Random, size: int) -> bytes:
    return b"\r\n" + _slice(_text("latin-1"), chance, size).replace(b"\r\n", b" ") + b"end"  # no newline at the end


def _header_only(_chance: random.Random, _size: int) -> bytes:
    return b"\r\n"


KINDS: tuple[Callable[[random.Random, int], bytes], ...] = (
    _plain,
    _eight_bit,
    _multipart,
    _bare_lines,
    _looks_like_imap,
    _one_long_line,
    _header_only,
)
WEIGHTS = (35, 22, 35, 2, 2, 2, 2)
