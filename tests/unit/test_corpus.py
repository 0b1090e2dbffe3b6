"""The corpora that tests move hold what they promise."""

import hashlib
from collections import Counter
from itertools import groupby, pairwise

from tests.mail.corpus import FOLDERS, Corpus, five_thousand, small


def test_equal_arguments_give_equal_mail() -> None:
    assert list(small(100).mails()) == list(small(100).mails())
    assert list(small(100).mails()) != list(Corpus(messages=100, seed=3).mails())


def test_five_thousand_messages_lie_in_twelve_folders_of_which_one_is_empty() -> None:
    counts: Counter[str] = Counter()
    without_message_id = large = repeated = 0
    for folder, mails in groupby(five_thousand().mails(), key=lambda mail: mail.folder):
        digests = Counter[bytes]()
        for mail in mails:
            counts[folder] += 1
            without_message_id += b"\r\nMessage-ID: " not in mail.body[:1000]
            large += len(mail.body) > 2_000_000
            digests[hashlib.sha256(mail.body).digest()] += 1
        repeated += sum(count - 1 for count in digests.values())

    assert counts.total() == 5_000
    assert len(five_thousand().folders) == 12
    assert set(FOLDERS) - set(counts) == {"Leer"}
    assert 40 <= without_message_id <= 60
    assert 40 <= repeated <= 60
    assert large >= 10


def test_every_system_flag_keyword_zone_and_kind_of_line_occurs() -> None:
    mails = list(small(1_000).mails())
    flags = {flag for mail in mails for flag in mail.flags}

    assert {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "Projekt-X"} <= flags
    assert len({mail.internaldate[-5:] for mail in mails}) == 8
    assert any(max(mail.body) > 127 for mail in mails)
    assert any(b"\n" in mail.body.replace(b"\r\n", b"") for mail in mails)
    assert any(len(one.body) == len(two.body) and one.body != two.body for one, two in pairwise(mails))


def test_new_messages_equal_none_of_the_old_ones() -> None:
    old = {mail.body for mail in small(100).mails()}

    new = [mail.body for mail in small(100).more("INBOX", 10)]

    assert len(set(new)) == 10
    assert not old & set(new)
