"""From events to the terminal, or to lines where there is none."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import httpx2
from rich.console import Console
from rich.live import Live

from libs.contracts.jobs import ENDED, STATE_TEXT, JobState
from libs.contracts.views import FailureRow, Snapshot
from services.watch import stream
from services.watch.screen import failure_line, screen
from services.watch.stream import Ended, Lost
from services.watch.texts import count, pace, percent, plain, said, title


class View(Protocol):
    def show(self, shown: Snapshot, failures: list[FailureRow], *, lost: bool) -> None: ...


def watch(url: str, console: Console) -> JobState:
    """Show the job until it has ended; the state it ended in. `url` is the address of its page or of its api.

    Raises:
        WatchFailed: there is no such job, or nobody answers for two minutes.
    """
    job = stream.job_url(url)
    shown: Snapshot | None = None
    failures: list[FailureRow] = []
    read = (0, False)  # what the list of failures depends on, as it was when it was read
    state = JobState.GONE
    with httpx2.Client() as client, _view(console) as view:
        for event in stream.follow(client, job):
            match event:
                case Ended():
                    state = event.state
                case Snapshot():
                    shown = event
                    depends = (shown.job.items_failed, shown.job.state in ENDED)
                    if depends != read and (found := stream.failures(client, job)) is not None:
                        failures, read = found, depends
                    view.show(shown, failures, lost=False)
                case Lost():
                    if shown is not None:
                        view.show(shown, failures, lost=True)
    if state is JobState.GONE:
        console.print(STATE_TEXT[state])
    return state


@contextmanager
def _view(console: Console) -> Generator[View]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        yield _Screen(console, live)


class _Screen:
    def __init__(self, console: Console, live: Live) -> None:
        self._console = console
        self._live = live

    def show(self, shown: Snapshot, failures: list[FailureRow], *, lost: bool) -> None:
        self._live.update(screen(shown, failures, height=self._console.height, lost=lost), refresh=True)


class _Lines:
    """One line when the state or the whole percent changes: for files and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: object = None
        self._listed: set[object] = set()

    def show(self, shown: Snapshot, failures: list[FailureRow], *, lost: bool) -> None:
        job = shown.job
        whole = None if job.progress_percent is None else int(job.progress_percent)
        if self._last is None:
            self._line(title(job))
        if (job.state, whole, lost) != self._last:
            self._last = (job.state, whole, lost)
            numbers = (percent(job), count(job), pace(job), plain(job.state_text), said(job.failed_server_text))
            self._line("Connection lost. Trying again …" if lost else " · ".join(part for part in numbers if part))
        for row in failures:
            which = (row.at, row.folder, row.uid, row.item, row.reason)
            if which not in self._listed:
                self._line(failure_line(row))
                self._listed.add(which)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
