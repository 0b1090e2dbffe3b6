"""A believable mailbox: some years of one person's mail. The same every time, byte for byte."""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

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

ME = Address("Anna Lindqvist", "anna", "old.example")
OTHERS = (
    Address("Ben Okafor", "ben", "harbour.example"),
    Address("Jürgen Groß", "juergen", "post.example"),
    Address("田中 葵", "aoi", "kazoku.example"),
    Address("Harbour Accounting", "billing", "harbour.example"),
    Address("Zoë Martin", "zoe", "mail.example"),
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
    mine = folder in ("Sent", "Drafts")
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = (ME, other) if mine else (other, ME)
    message["Subject"] = chance.choice(TOPICS).format(number=1000 + number)
    message["Date"] = at
    if number % 40 != 17:  # some mail has none
        message["Message-ID"] = f"<{chance.getrandbits(64):x}@{other.domain}>"
    lines = [" ".join(chance.choices(SENTENCES, k=chance.randrange(1, 5))) for _ in range(chance.randrange(2, 12))]
    message.set_content("\n\n".join(lines), cte="8bit")
    if (folder, number) == REFUSED:
        return _attached(message, chance, 40_000, "application/octet-stream", REFUSED_NAME)
    if size := LARGE.get((folder, number)):
        return _attached(message, chance, size, "image/jpeg", "Hafen am Abend.jpg")
    if chance.random() < 0.2:
        return _attached(message, chance, chance.randrange(5_000, 120_000), "application/pdf", f"{1000 + number}.pdf")
    return message.as_bytes()


def _attached(message: EmailMessage, chance: random.Random, size: int, kind: str, name: str) -> bytes:
    """The message with an attachment of `size` random bytes."""
    part = EmailMessage(policy=SMTP)
    part["Content-Type"] = f'{kind}; name="{name}"'
    part["Content-Disposition"] = f'attachment; filename="{name}"'
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload("@content@")  # put in afterwards: EmailMessage takes seconds for megabytes
    message.make_mixed()
    message.set_boundary(f"=_{chance.getrandbits(64):x}")
    message.attach(part)
    content = base64.encodebytes(chance.randbytes(size)).rstrip().replace(b"\n", b"\r\n")
    return message.as_bytes().replace(b"@content@", content)
