"""The mail that tells of the end of a job: what it says, how often it is tried, and that nothing is left of it."""

from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from itertools import pairwise
from typing import get_args

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from libs.contracts.ids import JobId
from libs.contracts.jobs import ENDED, STATE_TEXT, JobState, Language, Recipient
from libs.vault.recipients import Recipients
from services.aggregator.letter import WORDS, letter
from services.aggregator.postman import GIVE_UP_AFTER, Postman
from services.aggregator.smtp import MailNotSent
from tests.api.fakes import NOW, FakeReadModel, snapshot

JOB = JobId("j1")
WHO = Recipient(address=SecretStr("anna@new.example"), url=SecretStr("https://move.example/jobs/the-key"))
SENDER = "Mailtide <move@example.org>"


class World:
    def __init__(self) -> None:
        self.now = NOW
        self.model = FakeReadModel()
        self.model.add_job(JOB, key="the-key", view_key="v")
        self.recipients = Recipients(self.model, [Fernet.generate_key().decode()])
        self.recipients.store(JOB, WHO)
        self.sent: list[EmailMessage] = []
        self.refuses = False
        self.postman = self.start()

    def start(self) -> Postman:
        return Postman(self.model, self.model.views, self.recipients, self.send, SENDER, lambda: self.now)

    def send(self, message: EmailMessage) -> None:
        self.sent.append(message)
        if self.refuses:
            raise MailNotSent("SMTPConnectError")

    def end(self, state: JobState = JobState.COMPLETED) -> None:
        self.model.show(JOB, completed=10, state=state)

    def look(self, *, after: timedelta = timedelta(0)) -> int:
        """How often it was tried in all."""
        self.now += after
        self.postman.look()
        return len(self.sent)


@pytest.fixture
def world() -> World:
    return World()


def test_nobody_is_told_before_the_end(world: World) -> None:
    assert world.look() == 0


def test_who_waits_is_told_once_and_the_address_is_gone(world: World) -> None:
    world.end()

    assert [world.look(), world.look(), world.look()] == [1, 1, 1]
    assert world.recipients.open(JOB) is None


def test_a_server_that_does_not_take_it_is_tried_again_with_longer_pauses(world: World) -> None:
    world.end()
    world.refuses = True
    tried: list[datetime] = []
    while world.now < NOW + timedelta(minutes=30):
        if world.look(after=timedelta(seconds=1)) > len(tried):
            tried.append(world.now)

    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(tried)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == 300
    world.refuses = False
    world.look(after=timedelta(minutes=5))
    assert world.recipients.open(JOB) is None
    assert len({message["Message-ID"] for message in world.sent}) == 1


def test_after_an_hour_it_is_given_up_and_the_address_is_gone(world: World) -> None:
    world.end()
    world.refuses = True
    world.look()

    assert world.look(after=GIVE_UP_AFTER) == 1
    assert world.recipients.open(JOB) is None


def test_a_mail_that_was_sent_when_the_process_died_is_recognised_as_the_same(world: World) -> None:
    world.end()
    world.look()
    world.recipients.store(JOB, WHO)  # as if it had not been erased
    world.postman = world.start()
    world.look()

    assert len(world.sent) == 2
    assert world.sent[0]["Message-ID"] == world.sent[1]["Message-ID"]


def test_an_address_that_can_not_be_opened_is_let_go(world: World) -> None:
    world.end()
    world.model.keep_notification(
        JOB, Recipients(world.model, [Fernet.generate_key().decode()])._seal.seal(JOB, WHO), NOW
    )

    assert world.look() == 0
    assert world.model.notifications == {}


def written(state: JobState = JobState.COMPLETED_WITH_ERRORS, **changes: object) -> EmailMessage:
    job = snapshot(JOB, completed=8, state=state).job.model_copy(update={"items_failed": 2, **changes})
    message = message_from_bytes(letter(job, WHO, SENDER).as_bytes(), policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def test_it_says_how_it_ended_with_numbers_and_the_page() -> None:
    message = written()
    text = message.get_content()

    assert (message["From"], message["To"]) == (SENDER, "anna@new.example")
    assert message["Subject"] == "Your mail has moved, but not all of it"
    assert message["Message-ID"] == "<j1.20261122120000@example.org>"
    for part in (
        STATE_TEXT[JobState.COMPLETED_WITH_ERRORS],
        "Copied: 8",
        "Failed: 2",
        "https://move.example/jobs/the-key",
    ):
        assert part in text


@pytest.mark.parametrize("state", sorted(ENDED))
@pytest.mark.parametrize("language", get_args(Language))
def test_every_end_has_a_subject_and_a_sentence_in_every_language(state: JobState, language: Language) -> None:
    words = WORDS[language]
    assert words.subject[state]
    assert language == "en" or words.state[state]


def test_it_is_written_in_the_language_of_the_page_it_was_asked_for_on() -> None:
    job = snapshot(JOB, completed=8, state=JobState.COMPLETED_WITH_ERRORS).job
    job = job.model_copy(update={"items_completed": 12_345, "items_failed": 2})
    message = letter(job, WHO.model_copy(update={"language": "de"}), SENDER)
    text = message.get_content()

    assert (message["Subject"], message["Content-Language"]) == ("Ihre Post ist umgezogen, aber nicht ganz", "de")
    for part in (
        "einige Nachrichten fehlen",
        "Kopiert: 12.345",
        "Von imap.old.example nach imap.new.example.",
        "bis 29.",
    ):
        assert part in text
    assert "Copied" not in text


def test_a_name_can_not_make_headers() -> None:
    message = written(name="Anna\r\nBcc: mallory@example.org\r\n\r\nHello 東京")

    assert message["Bcc"] is None
    assert message["Subject"].endswith("not all of it: Anna Bcc: mallory@example.org Hello 東京")
