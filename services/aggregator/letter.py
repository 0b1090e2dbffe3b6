"""The mail that tells of the end of a job. Pure."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from libs.contracts.jobs import JobState, Recipient
from libs.contracts.views import JobView

SUBJECT = {
    JobState.COMPLETED: "Your mail has moved",
    JobState.COMPLETED_WITH_ERRORS: "Your mail has moved, but not all of it",
    JobState.FAILED: "Your mail could not be moved",
    JobState.CANCELLED: "The move of your mail was cancelled",
}
LAST = "This is the only mail about it. Your address was kept, encrypted, to send it, and is erased now."


def letter(job: JobView, recipient: Recipient, sender: str) -> EmailMessage:
    """Of an ended job. Its Message-ID is made from the job and its end: who gets it twice can tell."""
    assert job.finished_at is not None  # noqa: S101 - it has ended
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient.address.get_secret_value()
    message["Subject"] = SUBJECT[job.state] + (f": {' '.join(job.name.split())}" if job.name else "")
    message["Date"] = format_datetime(job.finished_at)
    host = sender.rpartition("@")[2].rstrip("> ")
    message["Message-ID"] = f"<{job.job_id}.{job.finished_at:%Y%m%d%H%M%S}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_paragraphs(job, recipient)) + "\n")
    return message


def _paragraphs(job: JobView, recipient: Recipient) -> list[str]:
    way = f"From {job.source_host} to {job.destination_host}." if job.source_host and job.destination_host else ""
    numbers = [
        f"Copied: {job.items_completed:,}",
        f"Already there or left out: {job.items_skipped:,}",
        f"Failed: {job.items_failed:,}",
    ]
    page = (
        f"Its page, until {job.expires_at:%Y-%m-%d %H:%M} UTC:\n{recipient.url.get_secret_value()}\n"
        "Whoever has this address can see and delete everything about the move. Keep it to yourself."
    )
    return [part for part in (job.state_text, way, "\n".join(numbers), page, LAST) if part]
