"""Every mail of a Gmail account arrives once, also what is archived only."""

import hashlib
from collections import Counter
from pathlib import Path

from tests.acceptance.instance import Instance, new_user
from tests.mail.contents import contents
from tests.mail.model import mail
from tests.servers.dovecot import Dovecot
from tests.servers.gmail import Gmail, Labelled
from tests.servers.scripted import Scripted


def labelled(name: object, *labels: str) -> Labelled:
    return Labelled(mail(name), frozenset(labels))


TWINS = (labelled("twin", "\\Inbox", "Work"), labelled("twin"))  # two messages of equal bytes; one is archived only
FOLDERS = {"\\Inbox": "INBOX", "Work": "Work", "\\Sent": "Sent"}
MAILS = (
    *(labelled(number, "\\Inbox") for number in range(20)),
    *(labelled(f"two labels {number}", "\\Inbox", "Work", "\\Important") for number in range(5)),
    *(labelled(f"sent {number}", "\\Sent") for number in range(5)),
    *(labelled(f"archived {number}") for number in range(30)),
    labelled("starred", "\\Starred"),
    labelled("important", "\\Important"),
    *TWINS,
)


def test_every_mail_arrives_once_for_each_label_and_archived_mail_in_the_archive(
    dovecot: Dovecot, tmp_path: Path
) -> None:
    with Scripted(Gmail(MAILS)) as gmail:
        ports = f"{gmail.port},{dovecot.imap_port},{dovecot.imaps_port}"
        settings = {"ALLOW_PLAIN": "true", "ALLOW_PORTS": ports}
        with Instance(tmp_path, dovecot, settings) as running:
            destination = dovecot.account(new_user())
            view = running.request(gmail.account(), destination).wait_for_end()
            arrived = contents(destination)
            again = running.request(gmail.account(), destination).wait_for_end()

            assert (view["state"], again["state"]) == ("completed", "completed")
            assert Counter((kept.folder, kept.sha256) for kept in arrived.elements()) == shown()
            assert again["items_completed"] == 0
            assert contents(destination) == arrived
            assert view["items_total"] == shown().total() == 26 + 6 + 5 + 33
            assert {kept.folder for kept in arrived if "\\Flagged" in kept.flags} == {"Archive"}


def shown() -> Counter[tuple[str, str]]:
    """Each mail in the folder of each of its labels, and in the archive what has none of them."""
    found: Counter[tuple[str, str]] = Counter()
    for one in MAILS:
        folders = [FOLDERS[label] for label in one.labels if label in FOLDERS]
        found.update((folder, hashlib.sha256(one.body).hexdigest()) for folder in folders or ["Archive"])
    return found
