"""Folders of any number of small messages, written straight into the files of Dovecot: 200,000 take some seconds."""

import os
from collections.abc import Iterable

from tests.servers.dovecot import Dovecot

FIRST_DATE = 1_000_000_000  # of the first message (UNIX time); each next one is a minute younger


def small_messages(count: int) -> Iterable[bytes]:
    """About 300 bytes each, all different."""
    for number in range(count):
        yield (
            f"From: Sender {number % 97} <sender{number % 97}@example.org>\r\nTo: owner@example.net\r\n"
            f"Date: Sun, 09 Sep 2001 01:46:40 +0000\r\nSubject: Note {number}\r\n"
            f"Message-ID: <{number}.note@example.org>\r\n\r\nThe text of note {number}, short as most are.\r\n"
        ).encode()


def write_inbox(server: Dovecot, user: str, messages: Iterable[bytes]) -> int:
    """Give a new user these messages in INBOX, in order, UIDs from 1; returns how many."""
    inbox = server.maildir(user)
    for name in ("cur", "new", "tmp"):
        (inbox / name).mkdir(parents=True)
    current = f"{inbox}/cur"
    uids: list[str] = []
    for uid, body in enumerate(messages, 1):
        name = f"{FIRST_DATE}.{uid}.test,S={len(body)},W={len(body)}"
        path = f"{current}/{name}:2,S"
        with open(path, "wb", buffering=0) as file:
            file.write(body)
        date = FIRST_DATE + 60 * uid
        os.utime(path, (date, date))
        uids.append(f"{uid} :{name}\n")
    validity = f"3 V{FIRST_DATE} N{len(uids) + 1} G0123456789abcdef0123456789abcdef\n"
    (inbox / "dovecot-uidlist").write_text(validity + "".join(uids))
    server.hand_over(user)
    return len(uids)
