"""Whether the destination holds what it must: read through IMAP, not taken from Mailtide's own numbers."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from libs.mailbox.port import Session
from services.demo import sample


class Kept(NamedTuple):
    """One message as it lies in a folder."""

    folder: str
    sha256: str  # of the whole message
    flags: frozenset[str]
    at: datetime  # INTERNALDATE


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the two accounts compare when the job has ended."""

    equal: int  # messages that lie at both sides, as often at the one as at the other
    refused: int  # of those that the destination must refuse
    missing: int  # others that are not at the destination
    surplus: int  # messages at the destination that are not, or not as often, at the source
    listed: int  # messages that Mailtide lists as failed

    @property
    def right(self) -> bool:
        return self.equal > 0 and self.refused == self.listed == 1 and not self.missing and not self.surplus

    @property
    def text(self) -> str:
        if self.right:
            return (
                f"{self.equal} messages are at the destination exactly once: folder, bytes, flags and date are equal. "
                "1 was refused by the destination, and is listed with the reason."
            )
        return (
            f"Not as it must be: {self.equal} messages are equal, {self.missing} missing, {self.surplus} too many, "
            f"{self.refused} refused, {self.listed} listed."
        )


def contents(session: Session) -> Counter[Kept]:
    """Everything in an account, as a multiset."""
    found: Counter[Kept] = Counter()
    for folder in session.folders():
        if folder.selectable and session.examine(folder.wire).exists:
            for message in session.fetch("1:*"):
                digest = hashlib.sha256(message.body).hexdigest()
                found[Kept(folder.name, digest, frozenset(message.flags), _instant(message.internaldate))] += 1
    return found


def to_be_refused() -> Counter[Kept]:
    """What of the sample the destination does not take."""
    return Counter(
        Kept(mail.folder, hashlib.sha256(mail.body).hexdigest(), frozenset(mail.flags), mail.at)
        for mail in sample.mails()
        if sample.REFUSED_NAME.encode() in mail.body
    )


def compare(source: Counter[Kept], destination: Counter[Kept], refused: Counter[Kept], *, listed: int) -> Verdict:
    missing = source - destination
    return Verdict(
        equal=(source & destination).total(),
        refused=(missing & refused).total(),
        missing=(missing - refused).total(),
        surplus=(destination - source).total(),
        listed=listed,
    )


def _instant(internaldate: str) -> datetime:
    return datetime.strptime(internaldate.strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
