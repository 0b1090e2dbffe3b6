"""A whole mailbox moves, and moves again, on a real server."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.acceptance.instance import Instance, new_user
from tests.mail.contents import Kept, contents, difference, folder_names
from tests.mail.corpus import five_thousand, small
from tests.mail.imap import connected
from tests.mail.seed import append, seed
from tests.servers.dovecot import SPECIAL, Dovecot


def test_five_thousand_messages_arrive_equal(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, five_thousand())

    job = instance.request(source, destination)
    view = job.wait_for_end()

    assert difference(contents(source), contents(destination)) == ""
    assert folder_names(source) <= folder_names(destination)
    assert (view["state"], view["items_total"], view["items_completed"]) == ("completed", 5000, 5000)
    assert (view["progress_percent"], view["items_verified"]) == (100, 5000)
    rows = job.get("/breakdown")
    assert sum(row["items_completed"] for row in rows) == 5000
    assert {row["state"] for row in rows} == {"done"}
    assert sum(batch["items"] for batch in job.get("/batches")) == 5000


def test_a_second_job_copies_nothing_and_a_third_the_ten_new_messages(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    corpus = small(400)
    seed(source, corpus)
    first = instance.request(source, destination).wait_for_end()

    second = instance.request(source, destination).wait_for_end()
    append(source, corpus.more("Archive/2024", 10))
    third = instance.request(source, destination).wait_for_end()

    assert counts(first) == ("completed", 400, 400, 0)
    assert counts(second) == ("completed", 400, 0, 400)
    assert counts(third) == ("completed", 410, 10, 400)
    assert difference(contents(source), contents(destination)) == ""


def test_a_destination_filled_by_something_else_is_neither_doubled_nor_changed(
    instance: Instance, dovecot: Dovecot
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    corpus = small(300)
    mails = list(corpus.mails())
    seed(source, corpus)
    # Some of the same mail under other UIDs, in another order, with other flags, among mail of its own.
    own = list(corpus.more("INBOX", 25, seed=5))
    there = [*own, *(replace(mail, flags=("\\Seen",)) for mail in reversed(mails[::3]))]
    append(destination, sorted(there, key=lambda mail: mail.folder))
    before = contents(destination)

    view = instance.request(source, destination).wait_for_end()

    after = contents(destination)
    assert not before - after, "something at the destination was deleted or changed"
    arrived = by_bytes(after)
    assert {kept: arrived[kept] for kept in by_bytes(contents(source))} == by_bytes(contents(source))
    assert view["items_completed"] == len(mails) - len(mails[::3])
    assert after.total() == len(mails) + len(own)


def test_two_jobs_at_once_for_one_destination_copy_it_once(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(600))

    first, second = instance.request(source, destination), instance.request(source, destination)
    second.wait(lambda view: view["state"] == "queued", 10, "the second job waits")
    ended = [first.wait_for_end(), second.wait_for_end()]

    assert [counts(view) for view in ended] == [("completed", 600, 600, 0), ("completed", 600, 0, 600)]
    assert difference(contents(source), contents(destination)) == ""


def test_folders_only_makes_the_folders_and_copies_no_message(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(60))

    view = instance.request(source, destination, mode="folders_only").wait_for_end()

    assert view["state"] == "completed"
    assert folder_names(source) <= folder_names(destination)
    assert not contents(destination)


def test_a_dry_run_says_what_would_be_copied_and_changes_no_file_of_either_account(
    instance: Instance, dovecot: Dovecot
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(60))
    with connected(destination) as client:  # so that its files are there
        client.select(readonly=True)
    before = [files(dovecot.maildir(account.username)) for account in (source, destination)]

    job = instance.request(source, destination, mode="dry_run")
    view = job.wait_for_end()

    assert (view["mode"], view["state"], view["items_total"], view["items_remaining"]) == (
        "dry_run",
        "completed",
        60,
        60,
    )
    assert {each["state"] for each in job.seen} <= {"queued", "scanning", "completed"}
    assert {row["state"] for row in job.get("/breakdown")} == {"planned"}
    assert [files(dovecot.maildir(account.username)) for account in (source, destination)] == before
    assert folder_names(destination) == {"INBOX", *SPECIAL}
    assert instance.request(source, destination).wait_for_end()["items_completed"] == 60


def test_include_exclude_since_before_and_size_leave_out_what_they_say(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(300))
    wanted = {"include": ["INBOX", "Archive*"], "exclude": ["Archive/2024/*"], "since": "2005-01-01"}

    view = instance.request(source, destination, **wanted, before="2015-01-01", max_item_bytes=9000).wait_for_end()

    assert view["state"] == "completed"
    arrived = contents(destination)
    assert arrived
    assert {kept.folder for kept in arrived} <= {"INBOX", "Archive", "Archive/2024"}
    assert not arrived - contents(source)
    assert all(2004 <= kept.internaldate.year <= 2015 for kept in arrived)


def test_deep_verification_compares_the_bytes_and_says_so(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(120))

    view = instance.request(source, destination, verify="deep").wait_for_end()

    assert (view["state"], view["items_verified"], view["verify_level"]) == ("completed", 120, "bytes")


def files(maildir: Path) -> dict[str, bytes]:
    """The messages, with their flags in the names. (Dovecot makes its special folders when they are looked at.)"""
    kept = [file for file in maildir.rglob("*") if file.parent.name in ("cur", "new")]
    return {str(file.relative_to(maildir)): file.read_bytes() for file in kept}


def by_bytes(kept: Counter[Kept]) -> Counter[tuple[str, str]]:
    """How often each message is in each folder, whatever its flags and date."""
    found: Counter[tuple[str, str]] = Counter()
    for one, count in kept.items():
        found[one.folder, one.sha256] += count
    return found


def counts(view: dict[str, Any]) -> tuple[str, int, int, int]:
    return view["state"], view["items_total"], view["items_completed"], view["items_skipped"]
