"""A believable mailbox: some years of one person's mail. The same every time, byte for byte."""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime, formataddr

REFUSED_NAME = "setup.exe"  # an attachment that the destination does not take

FOLDERS = {  # how many messages each gets
    "INBOX": 140,
    "Sent": 90,
    "Drafts": 4,
    "Trash": 12,
    "Archive/2023": 60,
    "Archive/2024": 80,
    "Projects/Harbour": 45,
    "Projects/Harbour/Invoices": 24,
    "Reisen/Köln & Zürich": 18,
    "家族": 21,
    "Later": 0,
}
LARGE = {("INBOX", 31): 3_000_000, ("Sent", 12): 1_500_000, ("Projects/Harbour", 7): 4_000_000, ("家族", 3): 2_000_000}
REFUSED = ("INBOX", 88)
TWICE = {("INBOX", 50), ("Archive/2023", 10)}  # the message before, once more

CRLF = "\r\n"
ME = ("Anna Lindqvist", "anna@old.example")
OTHERS = (
    ("Ben Okafor", "ben@harbour.example"),
    ("Jürgen Groß", "juergen@post.example"),
    ("田中 葵", "aoi@kazoku.example"),
    ("Harbour Accounting", "billing@harbour.example"),
    ("Zoë Martin", "zoe@mail.example"),
)
TOPICS = (
    "Minutes of Tuesday",
    "Grüße aus Köln",
    "Re: Fahrplan für nächste Woche",
    "週末の写真",
    "Invoice {number}",
    "Re: crane schedule, berth {number}",
    "Lunch?",
    "Your booking {number}",
    "Fwd: déjà vu",
)
SENTENCES = (
    "Could you have a look at the list before Thursday?",
    "Ich melde mich, sobald der Zug in Zürich ist.",
    "The second crane will be back on Monday, says the yard.",
    "Merci, c'est exactement ce qu'il nous fallait.",
    "来週また電話します。",
    "I have put the signed copy into the folder.",
    "Nothing urgent, it can wait until you are back.",
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as the source account holds it."""

    folder: str  # decoded, "/" between levels
    body: bytes
    flags: tuple[str, ...]
    at: datetime  # INTERNALDATE, with its zone


def mails() -> Iterator[Mail]:
    """All messages, folder by folder, oldest first."""
    for folder, count in FOLDERS.items():
        chance = random.Random(folder)  # noqa: S311
        at = datetime(2023, 1, 9, 8, 0, tzinfo=UTC)
        last: Mail | None = None
        for number in range(count):
            at += timedelta(minutes=chance.randrange(20, 2 * 365 * 24 * 60 // count))
            if not last or (folder, number) not in TWICE:
                zone = timezone(timedelta(hours=chance.choice((-8, 0, 1, 2, 9))))
                last = Mail(folder, _body(chance, folder, number, at), _flags(chance, folder), at.astimezone(zone))
            yield last


def _flags(chance: random.Random, folder: str) -> tuple[str, ...]:
    flags = ["\\Seen"] if folder in ("Sent", "Drafts") or chance.random() < 0.8 else []
    flags += ["\\Draft"] if folder == "Drafts" else []
    flags += ["\\Answered"] if chance.random() < 0.25 else []
    flags += ["\\Flagged"] if chance.random() < 0.07 else []
    flags += [chance.choice(("$Forwarded", "$Label1", "todo", "NonJunk"))] if chance.random() < 0.12 else []
    return tuple(flags)


def _body(chance: random.Random, folder: str, number: int, at: datetime) -> bytes:
    other = chance.choice(OTHERS)
    author, reader = (ME, other) if folder in ("Sent", "Drafts") else (other, ME)
    head = [
        f"From: {formataddr(author)}",
        f"To: {formataddr(reader)}",
        f"Subject: {Header(chance.choice(TOPICS).format(number=1000 + number)).encode(linesep=CRLF)}",
        f"Date: {format_datetime(at)}",
        "MIME-Version: 1.0",
    ]
    if number % 40 != 17:  # some mail has none
        head.append(f"Message-ID: <{chance.getrandbits(64):x}@{author[1].partition('@')[2]}>")
    lines = [" ".join(chance.choices(SENTENCES, k=chance.randrange(1, 5))) for _ in range(chance.randrange(2, 12))]
    text = [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *(CRLF.join((line, "")) for line in lines),
    ]
    if (folder, number) == REFUSED:
        parts = _attached(chance, text, 40_000, "application/octet-stream", REFUSED_NAME)
    elif size := LARGE.get((folder, number)):
        parts = _attached(chance, text, size, "image/jpeg", "Hafen am Abend.jpg")
    elif chance.random() < 0.2:
        parts = _attached(chance, text, chance.randrange(5_000, 120_000), "application/pdf", f"{1000 + number}.pdf")
    else:
        parts = text
    return (CRLF.join(head + parts) + CRLF).encode()


def _attached(chance: random.Random, text: list[str], size: int, kind: str, name: str) -> list[str]:
    """The text, and an attachment of `size` random bytes."""
    edge = f"=_{chance.getrandbits(64):x}"
    return [
        f'Content-Type: multipart/mixed; boundary="{edge}"',
        "",
        f"--{edge}",
        *text,
        f"--{edge}",
        f'Content-Type: {kind}; name="{name}"',
        f'Content-Disposition: attachment; filename="{name}"',
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(chance.randbytes(size)).decode().rstrip().replace("\n", CRLF),
        f"--{edge}--",
    ]
