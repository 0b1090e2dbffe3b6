"""What a folder of all mail holds that no other folder shows."""

from services.scanner.everything import only_there
from services.scanner.unidentified import Unidentified
from tests.mail.model import MailboxModel, mail


def left(model: MailboxModel, *others: str) -> list[int]:
    session = model.connect()
    session.examine("All")
    listed = list(session.listing(identity=True))
    return [one.uid for one in only_there(session, "All", others, listed, Unidentified())]


def test_mail_that_lies_in_another_folder_is_left_out() -> None:
    model = MailboxModel()
    model.put("All", mail(1), mail(2), mail(3))
    model.put("INBOX", mail(1))
    model.put("Work", mail(3))

    assert left(model, "INBOX", "Work") == [2]


def test_each_equal_message_elsewhere_answers_for_one() -> None:
    model = MailboxModel()
    model.put("All", mail(1), mail(1), mail(1))
    model.put("INBOX", mail(1))
    model.put("Work", mail(1))

    assert left(model, "INBOX", "Work") == [3]


def test_gmail_has_one_message_under_two_labels() -> None:
    model = MailboxModel()
    twice = mail("two labels")
    archived = twice + b"archived"
    model.gmail_ids = {twice: 1, archived: 2}
    model.put("All", twice, archived)
    model.put("INBOX", twice)
    model.put("Work", twice)

    assert left(model, "INBOX", "Work") == [2]


def test_a_folder_that_is_gone_shows_nothing() -> None:
    model = MailboxModel()
    model.put("All", mail(1))

    assert left(model, "Work") == [1]
