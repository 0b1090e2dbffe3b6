"""The mailboxes that are copied. Folder names are plain: what a peer makes of a strange one is not measured here."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.mail.corpus import Corpus, Mail

TWELVE = {
    "INBOX": 0.30,
    "Sent": 0.14,
    "Drafts": 0.02,
    "Trash": 0.04,
    "Archive": 0.12,
    "Archive/2023": 0.12,
    "Archive/2024": 0.10,
    "Lists": 0.06,
    "Lists/imap": 0.04,
    "Invoices": 0.03,
    "Customers": 0.02,
    "Receipts": 0.01,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One mailbox of the benchmark."""

    name: str
    messages: int
    median_bytes: int
    sigma: float  # of the log-normal sizes
    folders: dict[str, float]  # share of the messages

    def scaled(self, scale: float) -> "Mailbox":
        return Mailbox(
            name=self.name,
            messages=max(round(self.messages * scale), len(self.folders)),
            median_bytes=self.median_bytes,
            sigma=self.sigma,
            folders=self.folders,
        )

    def mails(self) -> Iterator[Mail]:
        """Always the same ones, folder by folder."""
        corpus = Corpus(messages=self.messages, median_bytes=self.median_bytes, sigma=self.sigma)
        for number, (folder, share) in enumerate(self.folders.items()):
            yield from corpus.more(folder, max(1, round(self.messages * share)), seed=number)


A = Mailbox(name="A", messages=20_000, median_bytes=8_000, sigma=1.86, folders=TWELVE)
B = Mailbox(name="B", messages=60_000, median_bytes=2_000, sigma=0.0, folders={"INBOX": 0.5, "Sent": 0.3, "Lists": 0.2})
C = Mailbox(name="C", messages=400, median_bytes=2_000_000, sigma=0.0, folders={"INBOX": 1.0})
MAILBOXES = {mailbox.name: mailbox for mailbox in (A, B, C)}
