"""Whether two accounts are one mailbox under two names."""

import pytest

from services.scanner.accounts import Both
from services.scanner.same_account import is_same_account
from tests.mail.model import MailboxModel, mail


def same(source: MailboxModel, destination: MailboxModel) -> bool:
    both = Both(source.connect(), destination.connect())
    return is_same_account(both, both.source.folders())


def filled(*wires: str) -> MailboxModel:
    model = MailboxModel()
    for wire in wires:
        model.put(wire, *(mail(number) for number in range(60)))
    return model


def twin(model: MailboxModel, wire: str) -> MailboxModel:
    """Another account with the same numbers."""
    other = MailboxModel()
    other.folders[wire] = other.add_folder(wire)
    other.folders[wire].uidvalidity = model.folders[wire].uidvalidity
    return other


def test_one_account_is_itself() -> None:
    model = filled("INBOX")

    assert same(model, model)


def test_what_mailboxid_tells_is_believed_whatever_the_numbers_are() -> None:
    model = filled("INBOX")
    other = twin(model, "INBOX")
    for body in model.bodies("INBOX"):
        other.put("INBOX", body)
    assert same(model, other)  # as far as the numbers tell

    model.objectid = other.objectid = True

    assert not same(model, other)
    other.folders["INBOX"].mailbox_id = model.folders["INBOX"].mailbox_id
    other.put("INBOX", mail("later"))
    assert same(model, other)


def test_two_accounts_are_two_even_when_they_hold_the_same_mail() -> None:
    assert not same(filled("INBOX"), filled("INBOX"))


def test_an_empty_account_is_never_refused() -> None:
    model = MailboxModel()

    assert not same(model, model)


def test_the_first_folder_with_mail_decides() -> None:
    model = filled("Archive")

    assert same(model, model)


def test_a_folder_that_is_not_there_is_another_account() -> None:
    assert not same(filled("Archive"), MailboxModel())


def test_equal_numbers_with_other_messages_are_two_accounts() -> None:
    model = filled("INBOX")
    other = twin(model, "INBOX")
    other.put("INBOX", *(mail(number, size=1) for number in range(60)))

    assert not same(model, other)


@pytest.mark.parametrize("removed", [[60], [1], list(range(1, 61))])
def test_a_different_number_of_messages_is_another_account(removed: list[int]) -> None:
    model = filled("INBOX")
    other = twin(model, "INBOX")
    other.put("INBOX", *(mail(number) for number in range(60)))
    other.expunge("INBOX", removed)

    assert not same(model, other)


def test_equal_mail_under_equal_numbers_is_another_account_when_other_folders_differ() -> None:
    model = filled("INBOX", "Archive")
    other = twin(model, "INBOX")
    other.put("INBOX", *(mail(number) for number in range(60)))
    other.put("Archive", mail("other"))

    assert not same(model, other)
