"""What a server asks for is obeyed by everybody in the process: no command to the account comes sooner."""

import contextlib
import itertools
import time
from collections import defaultdict
from collections.abc import Callable

import pytest

from libs.contracts.accounts import Account, Side
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason
from libs.mailbox.backoff import Backoffs
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import AccountUnusable, AppendRefused, MailboxBusy, MailboxError
from libs.mailbox.pool import SessionPool
from libs.mailbox.port import Message
from libs.readmodel.rows import ScanFailureRow, ThrottleRow
from tests.integration.conftest import LOOPBACK
from tests.mail.contents import contents
from tests.mail.corpus import Corpus
from tests.mail.real import Real
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import CAPABILITIES, Scripted, Talk
from tests.servers.throttler import Throttler
from tests.unit.world import World

JOB = JobId("job")
ASKED = 0.6  # seconds
BACKOFF = f"Suggested Backoff Time: {ASKED * 1000:.0f} milliseconds"
MESSAGE = Message(uid=1, flags=(), internaldate="", body=b"Subject: x\r\n\r\n")
ON_ITS_WAY = 0.1  # seconds: what was sent before the answer was read

USER = (f"throttled{number}" for number in itertools.count())


def policy(port: int) -> ConnectPolicy:
    return ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=[port], allow_plain=True)


# ---- the words


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (f"NO [UNAVAILABLE] Server busy. {BACKOFF}", ASKED),
        (f"BAD Request is throttled. {BACKOFF}", ASKED),
        (f"OK done. {BACKOFF}", ASKED),
        ("OK [THROTTLED] done", 60),
        ("NO [THROTTLED] slow down", 60),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", 60),
        ("NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", 60),
        ("NO [LIMIT] Rate limit hit.", 60),
        ("NO [LIMIT] later", 5),
        ("NO [INUSE] later", 5),
        ("NO [UNAVAILABLE] later", 5),
        ("BYE System going down", 15),
        (f"BYE {BACKOFF}", ASKED),
        ("NO [UNAVAILABLE] Server busy. Suggested Backoff Time: 86400000 milliseconds", 86_400),
    ],
)
def test_no_connection_sends_a_command_before_the_time_a_server_asked_for(answer: str, seconds: float) -> None:
    heard: list[float] = []
    said: list[float] = []

    def talk(server: Talk) -> None:
        if said:
            heard.append(time.monotonic())  # a third connection
        server.let_in()
        while True:
            command = server.hear()
            heard.append(time.monotonic())
            if command.startswith(b"EXAMINE"):
                said.append(time.monotonic())
                heard.clear()
                server.say(("* " if answer.startswith("BYE") else "{tag} ") + answer)
                if answer.startswith("BYE"):
                    return
            else:
                server.say("{tag} OK done")

    with Scripted(talk) as server:
        account, backoffs = server.account(), Backoffs()
        first, second = (connect(account, policy(server.port), backoffs) for _ in range(2))
        with contextlib.suppress(MailboxError):
            first.examine("a")

        for command in (second.noop, lambda: connect(account, policy(server.port), backoffs), first.noop):
            with pytest.raises(MailboxError) as busy:
                command()
            if command != first.noop:
                assert isinstance(busy.value, MailboxBusy)
                assert seconds - 0.5 < busy.value.retry_after <= seconds
                assert busy.value.server_text in answer
        assert heard == []

        if seconds == ASKED:
            soon_as_may_be(second.noop)
            assert heard[0] - said[0] >= ASKED
        first.reset()
        second.reset()


@pytest.mark.parametrize("place", ["greeting", "login", "append"])
def test_a_pause_is_asked_for_at_any_moment(place: str) -> None:
    said: list[float] = []
    came: list[float] = []

    def say(server: Talk, tag: str) -> None:
        said.append(time.monotonic())
        server.say(f"{tag} [UNAVAILABLE] {BACKOFF}")

    def talk(server: Talk) -> None:
        came.append(time.monotonic())
        if said:
            server.let_in()
            server.hang()
        if place == "greeting":
            return say(server, "* BYE")
        server.say("* OK ready")
        server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}")
        server.hear("LOGIN")
        if place == "login":
            return say(server, "{tag} NO")
        server.say(f"{{tag}} OK [CAPABILITY {CAPABILITIES}] in")
        server.hear("APPEND")
        server.read(len(MESSAGE.body))
        server.line()
        return say(server, "{tag} NO")

    with Scripted(talk) as server:
        account, backoffs = server.account(), Backoffs()
        with pytest.raises(MailboxBusy):
            connect(account, policy(server.port), backoffs).append("a", [MESSAGE], lambda: None)
        soon_as_may_be(lambda: connect(account, policy(server.port), backoffs).reset())

    assert came[1] - said[0] >= ASKED


def test_another_account_of_the_same_server_does_not_wait() -> None:
    def talk(server: Talk) -> None:
        server.let_in()
        server.hear("NOOP")
        server.say("{tag} NO [THROTTLED] you")

    with Scripted(talk) as server:
        backoffs = Backoffs()
        with pytest.raises(MailboxBusy):
            connect(server.account(username="Joe"), policy(server.port), backoffs).noop()

        connect(server.account(username="ann"), policy(server.port), backoffs).reset()
        with pytest.raises(MailboxBusy):
            connect(server.account(username="joe"), policy(server.port), backoffs)


@pytest.mark.parametrize(
    "words",
    [
        "Autologout; idle for too long",
        "Disconnected for inactivity.",
        "Selected mailbox was deleted, have to disconnect.",
    ],
)
def test_the_answer_to_logout_and_the_end_of_one_connection_ask_for_nothing(words: str) -> None:
    def talk(server: Talk) -> None:
        server.let_in()
        command = server.hear()
        server.say("* BYE Logging out" if command == b"LOGOUT" else f"* BYE {words}")

    with Scripted(talk) as server:
        account, backoffs = server.account(), Backoffs()
        with pytest.raises(MailboxError):
            connect(account, policy(server.port), backoffs).noop()
        connect(account, policy(server.port), backoffs).close()
        connect(account, policy(server.port), backoffs).reset()


def test_while_a_server_wants_to_be_left_alone_connections_end_without_a_word() -> None:
    heard: list[bytes] = []

    def talk(server: Talk) -> None:
        server.let_in()
        heard.append(server.hear("NOOP"))
        server.say("{tag} OK [THROTTLED] done")
        heard.append(server.hear())

    with Scripted(talk) as server:
        session = connect(server.account(), policy(server.port))
        session.noop()
        session.close()

    assert heard == [b"NOOP"]


@pytest.mark.parametrize(
    "answer",
    ["NO [AUTHENTICATIONFAILED] Too many failed logins", "NO [EXPIRED] later", "NO Invalid user or password"],
)
def test_credentials_that_were_refused_are_not_tried_again(answer: str) -> None:
    logins: list[bytes] = []

    def talk(server: Talk) -> None:
        server.say("* OK ready")
        server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}")
        logins.append(server.hear("LOGIN"))
        server.say("{tag} " + answer)

    with Scripted(talk) as server:
        pool = SessionPool(lambda account: connect(account, policy(server.port)))

        def refused(account: Account) -> Reason:
            with pytest.raises(AccountUnusable) as error:
                pool.fresh(JOB, "source", account)
            return error.value.reason

        assert {refused(server.account(password="old")) for _ in range(3)} == {Reason.LOGIN_REFUSED}
        refused(server.account(password="new"))

    assert len(logins) == 2


def test_a_message_with_too_many_keywords_is_refused_and_not_waited_for() -> None:
    def talk(server: Talk) -> None:
        server.let_in()
        server.hear("APPEND")
        server.read(len(MESSAGE.body))
        server.line()
        server.say("{tag} NO [LIMIT] Too many keywords in mailbox")

    with Scripted(talk) as server, pytest.raises(AppendRefused):
        connect(server.account(), policy(server.port)).append("a", [MESSAGE], lambda: None)


# ---- whole jobs, on a real server that is made to ask for pauses


@pytest.fixture(scope="module")
def plain(dovecot_installed: None) -> object:
    with Dovecot(ssl="no") as server:
        yield server


def job_of(
    server: Dovecot, source: Throttler, destination: Throttler, user: str
) -> tuple[World, Account, Account, Callable[[], None]]:
    """A world between two accounts of a real server, each behind a throttler. Each process has its own memory."""
    world = World()
    backoffs: defaultdict[int, Backoffs] = defaultdict(Backoffs)
    accounts = {
        "source.example": (server.account(f"{user}-from"), source),
        "destination.example": (server.account(f"{user}-to"), destination),
    }
    for host, (account, throttler) in accounts.items():
        reached = account.model_copy(update={"port": throttler.port})
        world.models[host] = Real(  # type: ignore[assignment]
            lambda a=reached, t=throttler: connect(a, policy(t.port), backoffs[len(world.processes)])
        )
    return world, accounts["source.example"][0], accounts["destination.example"][0], world.close


@pytest.mark.parametrize(
    ("side", "command", "number", "answer"),
    [
        ("source", "LOGIN", 1, f"NO [UNAVAILABLE] {BACKOFF}"),
        ("source", "LIST", 1, f"NO [THROTTLED] {BACKOFF}"),
        ("source", "UID FETCH", 3, f"BAD Request is throttled. {BACKOFF}"),
        ("destination", "EXAMINE", 2, f"BYE {BACKOFF}"),
        ("destination", "CREATE", 1, f"NO [INUSE] {BACKOFF}"),
        ("destination", "APPEND", 1, f"NO [UNAVAILABLE] {BACKOFF}"),
        ("destination", "APPEND", 2, f"BYE {BACKOFF}"),
    ],
)
def test_a_job_waits_as_long_as_it_was_asked_to_says_so_and_goes_on(
    plain: Dovecot, side: str, command: str, number: int, answer: str
) -> None:
    with Throttler(plain.imap_port) as source, Throttler(plain.imap_port) as destination:
        world, here, there, close = job_of(plain, source, destination, next(USER))
        seed(here, Corpus(messages=60, median_bytes=2_000, sigma=1))
        asked = {"source": source, "destination": destination}[side]
        asked.refuse("AUTHENTICATE" if command == "LOGIN" else command, number, answer)

        job = world.run(seconds=60)
        close()

    (said,) = asked.said
    assert asked.between(said + ON_ITS_WAY, said + ASKED) == []
    assert asked.between(said + ASKED, said + 60) != []
    assert contents(there) == contents(here)
    assert world.failures() == []
    assert world.scan_failures(job) == []
    throttles = world.store.rows(ThrottleRow)
    assert [(row.job_id, row.side, row.server_text) for row in throttles] == [
        (job, side, answer.partition(" ")[2].partition("] ")[2] or answer.partition(" ")[2])
    ]


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_pause_holds_for_the_process_after_one_that_was_killed_in_it_and_for_other_jobs(
    plain: Dovecot, side: Side
) -> None:
    words = "Suggested Backoff Time: 3000 milliseconds"
    with Throttler(plain.imap_port) as source, Throttler(plain.imap_port) as destination:
        world, here, there, close = job_of(plain, source, destination, next(USER))
        other = plain.account(next(USER))
        world.models["other.example"] = Real(lambda: connect(other, policy(other.port)))  # type: ignore[assignment]
        seed(here, Corpus(messages=60, median_bytes=2_000, sigma=1))
        asked = {"source": source, "destination": destination}[side]
        asked.refuse("EXAMINE", 2, f"NO [UNAVAILABLE] {words}")
        jobs = [world.request()]
        world.start()
        world.wait_for(lambda: bool(world.store.rows(ThrottleRow)))
        world.restart()  # kill -9
        if side == "source":
            jobs.append(world.request("other", destination="other.example"))

        for job in jobs:
            world.finish(job, seconds=60)
        close()

    (said,) = asked.said
    assert asked.between(said + ON_ITS_WAY, said + 3) == []
    assert contents(there) == contents(here)
    assert [row.server_text for row in sorted(world.store.rows(ThrottleRow), key=lambda row: row.job_id)] == [
        words,
        *("" for _ in jobs[1:]),
    ]


def test_a_full_destination_ends_the_job_with_that_reason_and_not_message_by_message(plain: Dovecot) -> None:
    with Throttler(plain.imap_port) as source, Throttler(plain.imap_port) as destination:
        world, here, _, close = job_of(plain, source, destination, next(USER))
        seed(here, Corpus(messages=120, median_bytes=2_000, sigma=1))
        for _ in range(200):
            destination.refuse("APPEND", 2, "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)")

        job = world.run(seconds=60, concurrency=1)
        close()

    assert {(one.side, one.reason) for one in world.scan_failures(job)} == {("destination", Reason.OVER_QUOTA)}
    assert [row.server_text for row in world.store.rows(ScanFailureRow)] == [
        "Quota exceeded (mailbox for user is full)"
    ]
    assert world.failures() == []


def soon_as_may_be(act: Callable[[], object]) -> None:
    """Try all the time, as no client does, until it is let through."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            act()
        except MailboxBusy:
            time.sleep(0.002)
        else:
            return
    raise AssertionError("it was never let through")
