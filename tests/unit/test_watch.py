"""`mailtide watch`: addresses, texts, the screen, and a whole job against the api."""

import io
import threading

import pytest
from rich.console import Console

from libs.contracts.jobs import JobState
from libs.contracts.reasons import Reason
from libs.contracts.views import FailureRow, RemainingSeconds
from services.watch import WatchFailed, watch
from services.watch.screen import failure_line, screen
from services.watch.stream import job_url
from services.watch.texts import plain, remaining, size
from tests.api.fakes import NOW, snapshot
from tests.api.server import Server

FAILURE = FailureRow(
    at=NOW,
    folder="INBOX",
    uid=7,
    reason=Reason.OVER_QUOTA,
    server_text="NO \x1b[2J full",
    what_to_do="The destination is full.",
)


class Output(io.StringIO):
    """A file that can be waited on."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def write(self, text: str) -> int:
        with self._written:
            self._written.notify_all()
            return super().write(text)

    def wait_for(self, text: str) -> None:
        with self._written:
            assert self._written.wait_for(lambda: text in self.getvalue(), timeout=10)


def drawn(shown, failures=(), *, height=40, lost=False):
    console = Console(file=io.StringIO(), width=100, height=height, force_terminal=False)
    console.print(screen(shown, list(failures), height=height, lost=lost))
    return console.file.getvalue()


@pytest.mark.parametrize(
    "url",
    [
        "https://move.example/jobs/abc",
        "https://move.example/jobs/abc/",
        "https://move.example/jobs/abc?lang=de#top",
        "https://move.example/api/jobs/abc",
        "https://move.example/api/jobs/abc/events",
    ],
)
def test_any_address_of_a_job_leads_to_the_job(url):
    assert job_url(url) == "https://move.example/api/jobs/abc"


def test_a_prefix_of_a_reverse_proxy_is_kept():
    assert job_url("http://host:8025/mail/jobs/abc") == "http://host:8025/mail/api/jobs/abc"


@pytest.mark.parametrize("url", ["", "abc", "/jobs/abc", "ftp://host/jobs/abc", "http://host/", "http://host/jobs/"])
def test_other_addresses_are_refused(url):
    with pytest.raises(WatchFailed):
        job_url(url)


def test_amounts_are_words():
    assert [size(n) for n in (0, 999, 1000, 123_456, 2_500_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "123 kB",
        "2.5 GB",
    ]
    assert remaining(RemainingSeconds(low=50, high=200)) == "50 s to 3 min left"
    assert remaining(RemainingSeconds(low=7300, high=7300)) == "about 2 h 1 min left"


def test_a_foreign_server_does_not_steer_the_terminal():
    assert plain("a\x1b[2Jb\r\nc\u202e") == "a\ufffd[2Jb\ufffd\ufffdc\ufffd"
    assert "\x1b" not in drawn(snapshot("j1"), [FAILURE])


def test_the_screen_shows_state_numbers_folders_and_failures():
    text = drawn(snapshot("j1", completed=4), [FAILURE], lost=True)

    for expected in ("imap.old.example → imap.new.example", "Copying messages.", "40.0 %", "4 of 10 messages copied",
                     "INBOX", "4/10", "The destination is full.", "Connection lost."):  # fmt: skip
        assert expected in text


def test_what_a_server_said_when_the_job_failed_is_shown(api):
    job_id = api.model.add_job("j1", key="the-key", view_key="the-view-key")
    ended = snapshot(job_id, state=JobState.FAILED)
    text = {"failed_server_text": "[ALERT] app password\x1b[2J required"}
    api.model.snapshots[job_id] = failed = ended.model_copy(update={"job": ended.job.model_copy(update=text)})
    output = io.StringIO()
    with Server(api.deps) as server:
        watch(f"{server.url}/jobs/the-key", Console(file=output))

    for shown in (drawn(failed), output.getvalue()):
        assert "The server said: [ALERT] app password\ufffd[2J required" in shown


def test_an_item_of_an_agent_goes_by_its_name_and_a_folder_by_its_own():
    item = FAILURE.model_copy(update={"folder": "", "uid": 0, "item": "contact-7", "server_text": "gone"})
    folder = FAILURE.model_copy(update={"uid": 0, "server_text": ""})

    assert failure_line(item) == "contact-7: The destination is full. The agent said: gone"
    assert failure_line(folder) == "INBOX: The destination is full."


def test_folders_that_do_not_fit_are_counted():
    shown = snapshot("j1")
    row = shown.breakdown[0]
    many = [row.model_copy(update={"name": f"folder {n}", "state": "done" if n < 50 else "copying"}) for n in range(60)]

    text = drawn(shown.model_copy(update={"breakdown": many}), height=30)

    assert len(text.splitlines()) <= 30
    assert "folder 59" in text
    assert "more folders" in text


@pytest.mark.parametrize(
    "state", [JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS, JobState.FAILED, JobState.CANCELLED]
)
@pytest.mark.parametrize("terminal", [True, False])
def test_a_job_is_watched_to_its_end(api, state, terminal):
    job_id = api.model.add_job("j1", key="the-key", view_key="the-view-key")
    output = Console(file=io.StringIO(), force_terminal=terminal, width=100, height=30)
    threading.Timer(1.0, lambda: api.model.show(job_id, completed=10, state=state)).start()

    with Server(api.deps) as server:
        assert watch(f"{server.url}/jobs/the-view-key", output) is state

    text = output.file.getvalue()
    assert "imap.old.example" in text
    assert "100.0 %" in text
    assert ("\x1b" in text) is terminal


def test_a_connection_that_breaks_is_taken_up_again(api):
    job_id = api.model.add_job("j1", key="the-key", view_key="the-view-key")
    output = Output()
    found = []
    with Server(api.deps) as first:
        port = int(first.url.rpartition(":")[2])
        watching = threading.Thread(
            target=lambda: found.append(watch(f"{first.url}/jobs/the-key", Console(file=output)))
        )
        watching.start()
        output.wait_for("0 of 10 messages")
    api.model.show(job_id, completed=10, state=JobState.COMPLETED)
    with Server(api.deps, port):
        watching.join(15)

    assert found == [JobState.COMPLETED]
    assert "Connection lost." in output.getvalue()


def test_every_failure_is_listed_however_many_were_noted(api):
    job_id = api.model.add_job("j1", key="the-key", view_key="the-view-key")
    output = Output()

    def add(uid, outcome, **shown):
        api.model.failed.append(FAILURE.model_copy(update={"uid": uid, "outcome": outcome}))
        api.model.show(job_id, **shown)

    add(1, "noted")
    add(2, "failed", failed=1)
    with Server(api.deps) as server:
        watching = threading.Thread(target=watch, args=(f"{server.url}/jobs/the-key", Console(file=output)))
        watching.start()
        output.wait_for("message 2:")
        add(3, "failed", failed=2)
        output.wait_for("message 3:")
        add(4, "noted", failed=2, completed=8, state=JobState.COMPLETED_WITH_ERRORS)
        watching.join(15)

    assert [output.getvalue().count(f"message {uid}:") for uid in (1, 2, 3, 4)] == [1, 1, 1, 1]


def test_an_unknown_job_can_not_be_watched(api):
    with Server(api.deps) as server, pytest.raises(WatchFailed, match="nothing here"):
        watch(f"{server.url}/jobs/unknown", Console(file=io.StringIO()))
