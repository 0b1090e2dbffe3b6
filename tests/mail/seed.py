"""Puts mail into an account as fast as the server allows, without the code under test."""

import imaplib
from collections.abc import Iterable, Iterator
from itertools import groupby

from libs.contracts.accounts import Account
from tests.mail.corpus import Corpus, Mail
from tests.mail.imap import connected, folders, quoted, wire_name

BATCH_MESSAGES, BATCH_BYTES = 200, 4 << 20


def seed(account: Account, corpus: Corpus) -> int:
    """Create the corpus's folders and append its messages; returns how many."""
    return append(account, corpus.mails(), create=corpus.folders)


def append(account: Account, mails: Iterable[Mail], *, create: Iterable[str] = ()) -> int:
    """Append in order: MULTIAPPEND in one buffer where the server takes it, else one by one.

    Folders that are missing are created, also the `create`d ones that get no mail.
    """
    count = 0
    with connected(account) as client:
        there = folders(client)

        def wire(name: str) -> bytes:
            if name not in there:
                there[name] = wire_name(client, name)
                _ok(client.create(quoted(there[name])))
                _ok(client.subscribe(quoted(there[name])))
            return there[name]

        for name in create:
            wire(name)
        for name, of_folder in groupby(mails, key=lambda mail: mail.folder):
            for batch in _batches(of_folder, one_by_one="MULTIAPPEND" not in client.capabilities):
                _append(client, wire(name), batch)
                count += len(batch)
    return count


def _batches(mails: Iterable[Mail], *, one_by_one: bool) -> Iterator[list[Mail]]:
    batch: list[Mail] = []
    size = 0
    for mail in mails:
        batch.append(mail)
        size += len(mail.body)
        if one_by_one or len(batch) == BATCH_MESSAGES or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _append(client: imaplib.IMAP4, wire: bytes, batch: list[Mail]) -> None:
    plus = "LITERAL+" in client.capabilities
    buffer = bytearray(b"seed APPEND " + quoted(wire).encode())
    for mail in batch:
        flags = " ".join(mail.flags).encode()
        buffer += b' (%b) "%b" {%d%b}\r\n' % (flags, mail.internaldate.encode(), len(mail.body), b"+" * plus)
        if not plus:
            client.send(bytes(buffer))
            line = client.readline()
            assert line.startswith(b"+"), line
            buffer.clear()
        buffer += mail.body
    client.send(bytes(buffer) + b"\r\n")
    while not (line := client.readline()).startswith(b"seed "):
        assert line, "the server hung up"
    assert line.startswith(b"seed OK"), line


def _ok(answer: tuple[str, list[bytes]]) -> None:
    assert answer[0] == "OK", answer
