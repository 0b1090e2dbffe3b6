"""The mail that tells of the end of a job, in the language of the page it was asked for on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from libs.contracts.jobs import JobState, Language, Recipient
from libs.contracts.views import JobView


@dataclass(frozen=True, slots=True)
class Words:
    """All that is said in one language; `state` holds only what the job view does not say in it."""

    subject: Mapping[JobState, str]
    state: Mapping[JobState, str]
    way: str
    numbers: tuple[str, str, str]
    thousands: str
    page: str
    date: str
    last: str


WORDS: dict[Language, Words] = {
    "en": Words(
        subject={
            JobState.COMPLETED: "Your mail has moved",
            JobState.COMPLETED_WITH_ERRORS: "Your mail has moved, but not all of it",
            JobState.FAILED: "Your mail could not be moved",
            JobState.CANCELLED: "The move of your mail was cancelled",
        },
        state={},
        way="From {source} to {destination}.",
        numbers=("Copied: {}", "Already there or left out: {}", "Failed: {}"),
        thousands=",",
        page=(
            "Its page, until {until} UTC:\n{url}\n"
            "Whoever has this address can see and delete everything about the move. Keep it to yourself."
        ),
        date="%Y-%m-%d %H:%M",
        last="This is the only mail about it. Your address was kept, encrypted, to send it, and is erased now.",
    ),
    "de": Words(
        subject={
            JobState.COMPLETED: "Ihre Post ist umgezogen",
            JobState.COMPLETED_WITH_ERRORS: "Ihre Post ist umgezogen, aber nicht ganz",
            JobState.FAILED: "Ihre Post konnte nicht umziehen",
            JobState.CANCELLED: "Der Umzug Ihrer Post wurde abgebrochen",
        },
        state={
            JobState.COMPLETED: "Fertig. Jede Nachricht ist am Ziel.",
            JobState.COMPLETED_WITH_ERRORS: (
                "Fertig, aber einige Nachrichten fehlen oder sind verändert. Sie sind mit dem Grund aufgelistet."
            ),
            JobState.FAILED: "Der Umzug konnte nicht weitergehen. Warum, steht auf seiner Seite.",
            JobState.CANCELLED: "Abgebrochen. Was kopiert wurde, bleibt am Ziel.",
        },
        way="Von {source} nach {destination}.",
        numbers=("Kopiert: {}", "Schon da oder weggelassen: {}", "Fehlgeschlagen: {}"),
        thousands=".",
        page=(
            "Seine Seite, bis {until} UTC:\n{url}\n"
            "Wer diese Adresse hat, kann alles über den Umzug sehen und löschen. Behalten Sie sie für sich."
        ),
        date="%d.%m.%Y %H:%M",
        last=(
            "Dies ist die einzige Mail darüber. Ihre Adresse wurde dafür verschlüsselt aufgehoben "
            "und wird jetzt gelöscht."
        ),
    ),
}


def letter(job: JobView, recipient: Recipient, sender: str) -> EmailMessage:
    """Of an ended job. Its Message-ID is made from the job and its end: who gets it twice can tell."""
    assert job.finished_at is not None  # noqa: S101 - it has ended
    words = WORDS[recipient.language]
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient.address.get_secret_value()
    message["Subject"] = words.subject[job.state] + (f": {' '.join(job.name.split())}" if job.name else "")
    message["Date"] = format_datetime(job.finished_at)
    host = sender.rpartition("@")[2].rstrip("> ")
    message["Message-ID"] = f"<{job.job_id}.{job.finished_at:%Y%m%d%H%M%S}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_paragraphs(job, recipient, words)) + "\n")
    message["Content-Language"] = recipient.language
    return message


def _paragraphs(job: JobView, recipient: Recipient, words: Words) -> list[str]:
    hosts = job.source_host and job.destination_host
    way = words.way.format(source=job.source_host, destination=job.destination_host) if hosts else ""
    counts = (job.items_completed, job.items_skipped, job.items_failed)
    numbers = "\n".join(
        line.format(f"{count:,}".replace(",", words.thousands))
        for line, count in zip(words.numbers, counts, strict=True)
    )
    until = job.expires_at.strftime(words.date)
    page = words.page.format(until=until, url=recipient.url.get_secret_value())
    return [part for part in (words.state.get(job.state, job.state_text), way, numbers, page, words.last) if part]
