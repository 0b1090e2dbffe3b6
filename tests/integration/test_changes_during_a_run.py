"""What happens to both accounts while a job runs, on a real server."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from libs.contracts.accounts import Account
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.mailbox.connect import connect
from libs.readmodel.rows import NoticeRow, ThrottleRow
from tests.integration.conftest import policy_for
from tests.mail.contents import by_uid, contents
from tests.mail.imap import connected, quoted
from tests.mail.real import Real
from tests.servers.dovecot import Dovecot
from tests.unit.world import World

USER = (f"changing{number}" for number in itertools.count())
HIGHEST = 2**32 - 1


@dataclass
class Run:
    """A world between two accounts of a real server; things happen before calls of sessions."""

    server: Dovecot
    world: World
    here: Account
    there: Account
    source: Real
    destination: Real

    def finish(self, **options: object) -> JobId:
        return self.world.run(seconds=60, concurrency=1, **options)

    def at(self, account: Account, *commands: str) -> Callable[[], None]:
        """Another client says these commands to an account."""
        return partial(say, account, *commands)

    def arrived(self) -> Counter[tuple[str, str]]:
        """Folder and bytes, without flags and dates."""
        return bare(self.there)


@pytest.fixture
def run(dovecot: Dovecot) -> Iterator[Run]:
    user = next(USER)
    here, there = dovecot.account(f"{user}-from"), dovecot.account(f"{user}-to")
    world = World()
    source, destination = (Real(partial(connect, account, policy_for(dovecot))) for account in (here, there))
    world.models["source.example"] = source  # type: ignore[assignment]
    world.models["destination.example"] = destination  # type: ignore[assignment]
    yield Run(dovecot, world, here, there, source, destination)
    world.close()


def put(account: Account, folder: str, *names: str) -> None:
    with connected(account) as client:
        for name in names:
            status, answer = client.append(quoted(folder.encode()), "", "", mail(name))
            assert status == "OK", answer


def mail(name: str) -> bytes:
    return f"Message-ID: <{name}@example.org>\r\nSubject: {name}\r\n\r\nThis is {name}.\r\n".encode()


def say(account: Account, *commands: str) -> None:
    with connected(account) as client:
        for command in commands:
            name, _, rest = command.partition(" ")
            status, answer = client._simple_command(name, *([rest] if rest else []))
            assert status == "OK", (command, answer)
            if name == "SELECT":
                client.state = "SELECTED"


def bare(account: Account) -> Counter[tuple[str, str]]:
    return Counter((kept.folder, kept.sha256) for kept in contents(account).elements())


def names(count: int, prefix: str = "m") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


# ---- the source


@pytest.mark.parametrize(("method", "number"), [("fetch", 1), ("append", 1)])
def test_messages_expunged_at_the_source_are_skipped_and_the_others_arrive(run: Run, method: str, number: int) -> None:
    put(run.here, "INBOX", *names(6))
    expunge = run.at(run.here, "SELECT INBOX", "UID STORE 2,5 +FLAGS.SILENT (\\Deleted)", "EXPUNGE")
    (run.source if method == "fetch" else run.destination).before(method, number, expunge)

    job = run.finish()

    counts = run.world.counts(job)
    gone = 2 if method == "fetch" else 0  # what was read before it was expunged arrives
    assert (counts.completed, counts.skipped, counts.failed) == (6 - gone, gone, 0)
    assert run.arrived() >= bare(run.here)
    assert run.arrived().total() == 6 - gone


def test_a_source_folder_renamed_before_it_is_read_is_said_to_be_gone(run: Run) -> None:
    run.at(run.here, "CREATE old")()
    put(run.here, "old", *names(4))
    put(run.here, "INBOX", "other")
    run.source.before("fetch", 2, run.at(run.here, "RENAME old new"))

    job = run.finish()

    counts = run.world.counts(job)
    assert (counts.completed, counts.skipped, counts.total) == (1, 4, 5)
    assert [folder for folder, _ in run.arrived()] == ["INBOX"]
    assert [row.text for row in run.world.store.rows(NoticeRow) if "“old”" in row.text and "renamed" in row.text]
    assert run.world.store.rows(ThrottleRow) == []  # Dovecot ends the connection, and asks for no pause


def test_mail_that_arrives_during_the_run_is_outside_the_plan_and_copied_by_the_next(run: Run) -> None:
    put(run.here, "INBOX", *names(4))
    run.source.before("fetch", 1, lambda: put(run.here, "INBOX", "late1", "late2"))

    job = run.finish()
    counts = run.world.counts(job)
    run.world.end(job)
    again = run.finish(job_id="again")

    assert (counts.total, counts.completed) == (4, 4)
    assert run.world.counts(again).completed == 2
    assert run.arrived() == bare(run.here)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_folder_made_anew_on_either_side_is_planned_and_matched_again(run: Run, side: str) -> None:
    account = run.here if side == "source" else run.there
    run.at(run.here, "CREATE box")()
    put(run.here, "box", *names(5))

    def anew() -> None:
        say(account, "DELETE box", "CREATE box")
        put(account, "box", *(names(5) if side == "source" else ["theirs"]))

    (run.source if side == "source" else run.destination).before("fetch" if side == "source" else "append", 1, anew)

    job = run.finish()

    theirs = run.arrived() - bare(run.here)
    assert bare(run.here) - run.arrived() == Counter()
    assert theirs.total() == (side == "destination")
    counts = run.world.counts(job)
    assert counts.settled == counts.total == 5
    assert run.world.store.rows(ThrottleRow) == []


@pytest.mark.parametrize("number", [1, 2])
def test_a_destination_folder_deleted_while_it_is_filled_is_made_and_filled_again(run: Run, number: int) -> None:
    run.at(run.here, "CREATE box")()
    large = [mail(f"large{n}") + b"x" * (5 << 20) for n in range(3)]  # one append each
    with connected(run.here) as client:
        for body in large:
            client.append("box", "", "", body)
    run.destination.before("append", number, run.at(run.there, "DELETE box"))

    job = run.finish()

    assert run.arrived() == bare(run.here)
    counts = run.world.counts(job)
    assert (counts.completed, counts.failed) == (3, 0)


# ---- a person at the destination


def test_what_a_person_deletes_and_moves_at_the_destination_meanwhile_stays_so(run: Run) -> None:
    run.at(run.here, "CREATE box")()
    large = [mail(f"large{n}") + b"x" * (5 << 20) for n in range(4)]  # one append each
    with connected(run.here) as client:
        for body in large:
            client.append("box", "", "", body)
    delete = run.at(run.there, "SELECT box", "UID STORE 1 +FLAGS.SILENT (\\Deleted)", "EXPUNGE")
    run.destination.before("append", 2, delete)
    run.destination.before("append", 3, run.at(run.there, "CREATE kept", "SELECT box", "UID COPY 2 kept"))
    run.destination.before("append", 4, run.at(run.there, "SELECT box", "UID STORE 2 +FLAGS (\\Deleted)", "EXPUNGE"))

    job = run.finish()

    folders = sorted(folder for folder, _ in run.arrived())
    assert folders == ["box", "box", "kept"]
    assert run.world.counts(job).completed == 4
    assert sum(audit.removed for audit in run.world.audits(job).values()) == 2
    assert [row.reason for row in run.world.failures("noted")] == [Reason.REMOVED_AT_DESTINATION] * 2
    assert run.world.failures() == []


def test_what_a_person_flags_at_the_destination_meanwhile_stays_flagged(run: Run) -> None:
    run.at(run.here, "CREATE box")()
    large = [mail(f"large{n}") + b"x" * (5 << 20) for n in range(3)]  # one append each
    with connected(run.here) as client:
        for body in large:
            client.append("box", "\\Seen", "", body)
    run.destination.before("append", 2, run.at(run.there, "SELECT box", "UID STORE 1 +FLAGS (\\Flagged later)"))
    run.destination.before("append", 3, run.at(run.there, "SELECT box", "UID STORE 2 FLAGS (\\Answered)"))

    job = run.finish()
    counts = run.world.counts(job)
    run.world.end(job)
    again = run.finish(job_id="again")

    flags = [kept.flags for _, kept in sorted(by_uid(run.there).items()) if kept.folder == "box"]
    assert flags == [{"\\Seen", "\\Flagged", "later"}, {"\\Answered"}, {"\\Seen"}]
    assert run.arrived() == bare(run.here)
    assert (counts.completed, run.world.counts(again).skipped) == (3, 3)
    assert run.world.audits(job)["2"].verified == 3  # type: ignore[index]
    assert run.world.failures() + run.world.failures("noted") == []


# ---- UIDs


@pytest.mark.parametrize("side", ["source", "destination"])
def test_uids_up_to_the_highest_there_are(run: Run, side: str) -> None:
    account = run.here if side == "source" else run.there
    put(account, "INBOX", "low")
    uidlist = run.server.maildir(account.username) / "dovecot-uidlist"
    head, _, rest = uidlist.read_text().partition("\n")
    words = [f"N{HIGHEST - 4}" if word.startswith("N") else word for word in head.split(" ")]
    for index in uidlist.parent.glob("dovecot.index*"):
        index.unlink()
    uidlist.write_text(" ".join(words) + "\n" + rest)
    run.server.hand_over(account.username)
    put(run.here, "INBOX", *names(3))
    if side == "destination":
        put(run.here, "INBOX", "low")

    job = run.finish()

    with connected(account) as client:
        client.select(readonly=True)
        uids = [int(uid) for uid in client.uid("SEARCH", "ALL")[1][0].split()]
    assert max(uids) > HIGHEST - 5
    assert run.arrived() == bare(run.here)
    counts = run.world.counts(job)
    assert (counts.failed, counts.settled) == (0, counts.total)
    assert run.world.failures() == []
    assert Reason.REMOVED_AT_DESTINATION not in {row.reason for row in run.world.failures("noted")}
