"""A real server that can't open some folders or read some messages: these are listed, and all else arrives."""

import time

from tests.acceptance.instance import Instance, new_user
from tests.mail.contents import contents
from tests.mail.corpus import Mail
from tests.mail.model import mail
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot

DATE = "17-Jul-2024 02:44:25 +0200"


def test_folders_that_a_server_can_not_open_fail_alone(instance: Instance, dovecot: Dovecot) -> None:
    ours, theirs = new_user(), new_user()
    source, destination = dovecot.account(ours), dovecot.account(theirs)
    folders = ("INBOX", "closed here", "closed there", "fine")
    append(source, [Mail(folder, mail(folder), (), DATE) for folder in folders], create=["in the way"])
    append(destination, [Mail("INBOX", mail("other"), (), DATE)], create=["closed there"])
    (dovecot.maildir(ours) / ".closed here").chmod(0)
    (dovecot.maildir(theirs) / ".closed there").chmod(0)
    (dovecot.maildir(theirs) / ".in the way").write_text("no folder")
    begun = time.monotonic()

    job = instance.request(source, destination)
    view = job.wait_for_end()

    assert view["state"] == "completed_with_errors"
    assert time.monotonic() - begun < 45
    failures = {(one["folder"], one["uid"]): one for one in job.get("/failures")}
    assert set(failures) == {("closed here", 0), ("closed there", 1), ("in the way", 0)}
    assert all("Internal error" in one["server_text"] for one in failures.values())
    (dovecot.maildir(ours) / ".closed here").chmod(0o700)
    (dovecot.maildir(theirs) / ".closed there").chmod(0o700)
    (dovecot.maildir(theirs) / ".in the way").unlink()
    assert {kept.folder for kept in contents(destination)} == {"INBOX", "fine"}

    assert job.retry(source, destination).status_code == 202
    assert job.wait_for_end()["state"] == "completed"
    assert {kept.folder for kept in contents(destination)} == set(folders)


def test_a_message_that_ends_the_connection_fails_alone(instance: Instance, dovecot: Dovecot) -> None:
    """Dovecot says BYE when it can't read the file of a message."""
    user = new_user()
    source, destination = dovecot.account(user), dovecot.account(new_user())
    append(source, [Mail(folder, mail(f"{folder}{n}"), (), DATE) for folder in ("INBOX", "Old") for n in range(5)])
    append(destination, [Mail("Old", mail("held already"), (), DATE)])  # so that identities are compared there
    for folder in (dovecot.maildir(user), dovecot.maildir(user) / ".Old"):
        third = sorted([*(folder / "cur").iterdir(), *(folder / "new").iterdir()])[2]
        third.chmod(0)

    job = instance.request(source, destination)
    view = job.wait_for_end()

    assert view["state"] == "completed_with_errors"
    failures = job.get("/failures")
    assert sorted((one["folder"], one["uid"], one["reason"]) for one in failures) == [
        ("INBOX", 3, "message_unreadable"),
        ("Old", 3, "message_unreadable"),
    ]
    assert view["items_completed"] == 8
