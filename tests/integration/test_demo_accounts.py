"""The demo's throwaway accounts are real IMAP servers that keep mail as it is, and one of them is picky."""

import hashlib
from collections import Counter

import pytest

from services.demo import sample
from services.demo.accounts import DESTINATION, SOURCE, account
from tests.mail.contents import Kept, contents, difference, folder_names
from tests.mail.corpus import Mail, internaldate
from tests.mail.seed import append


def test_the_source_holds_the_sample_mailbox() -> None:
    with account(SOURCE, filled=True) as source:
        assert difference(expected(), contents(source)) == ""
        assert folder_names(source) == set(sample.FOLDERS)


def test_the_destination_refuses_an_append_with_a_program_in_it_and_keeps_none_of_it() -> None:
    mails = [Mail(mail.folder, mail.body, mail.flags, internaldate(mail.at)) for mail in sample.mails()]
    picked = next(number for number, mail in enumerate(mails) if sample.REFUSED_NAME.encode() in mail.body)
    with account(DESTINATION, filled=False) as destination:
        with pytest.raises(AssertionError, match="seed NO"):
            append(destination, mails[picked - 3 : picked + 3])

        assert contents(destination) == Counter()
        assert append(destination, mails[picked - 3 : picked]) == 3


def expected() -> Counter[Kept]:
    return Counter(
        Kept(mail.folder, hashlib.sha256(mail.body).hexdigest(), frozenset(mail.flags), mail.at)
        for mail in sample.mails()
    )
