"""The mail that other tests move, and the eyes they compare it with, on a real server."""

import hashlib
from collections import Counter
from datetime import datetime

from tests.mail.contents import Kept, contents, difference, folder_names
from tests.mail.corpus import Corpus, Mail, small
from tests.mail.seed import append, seed
from tests.servers.dovecot import Dovecot


def test_what_was_appended_is_read_back_bytes_flags_and_dates(dovecot: Dovecot) -> None:
    account = dovecot.account("seeded")
    corpus = small(300)

    assert seed(account, corpus) == 300

    assert difference(expected(corpus), contents(account)) == ""
    assert set(corpus.folders) <= folder_names(account)


def test_a_difference_says_what_is_missing_and_what_changed(dovecot: Dovecot) -> None:
    one = Mail("INBOX", b"Subject: one\r\n\r\nbody\r\n", ("\\Seen",), "17-Jul-1996 02:44:25 -0700")
    two = Mail("INBOX", b"Subject: two\r\n\r\nbody\r\n", (), "17-Jul-1996 02:44:25 -0700")
    left, right = dovecot.account("left"), dovecot.account("right")
    append(left, [one, two])
    append(right, [Mail("INBOX", one.body, (), one.internaldate)])

    text = difference(contents(left), contents(right))

    assert text.splitlines()[0] == "2 missing, 1 surplus, 0 equal"
    assert "there as flags ()" in text


def expected(corpus: Corpus) -> Counter[Kept]:
    """What a Dovecot keeps of a corpus: it turns a bare LF into CRLF."""
    return Counter(
        Kept(
            mail.folder,
            hashlib.sha256(mail.body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")).hexdigest(),
            frozenset(mail.flags),
            datetime.strptime(mail.internaldate.strip(), "%d-%b-%Y %H:%M:%S %z"),
        )
        for mail in corpus.mails()
    )
