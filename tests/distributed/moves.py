"""Jobs that run over a cluster while something happens to it."""

import contextlib
import time
from collections.abc import Callable, Iterable

import httpx2

from libs.contracts.accounts import Account
from tests.acceptance.instance import LIVE, Snapshot, wait_for
from tests.distributed.cluster import SESSION_SECONDS, Cluster
from tests.mail.contents import contents, difference

TAKEN_OVER_SECONDS = SESSION_SECONDS + 15.0  # within which work goes on after a fault
UNDER_WAY_SECONDS = 2.0  # until what was done before a fault is in the views: reports, a second apart, and their way
SLOW_MBPS, FAST_MBPS = 0.004, 10_000  # the first lets a job of long accounts live for more than a minute


class Move:
    """One job between two accounts of its own."""

    def __init__(self, cluster: Cluster, source: Account, destination: Account, mbps: float) -> None:
        self.source, self.destination, self._cluster = source, destination, cluster
        self.job = cluster.request(source, destination, bandwidth_limit_mbps=mbps)

    def view(self) -> Snapshot | None:
        """None while the api can't say."""
        with contextlib.suppress(httpx2.TransportError):
            return self.job.view()
        return None

    def limit(self, mbps: float) -> None:
        """Of a job that lives."""
        self._cluster.ask("PATCH", f"{self.job.path}/limits", {"bandwidth_limit_mbps": mbps})

    def hurry(self) -> None:
        self.limit(FAST_MBPS)

    def lives(self) -> Snapshot:
        """Its view now, of a job that has not ended: the fault strikes it, or would."""
        view = self.wait(lambda _: True, 30)
        assert view["state"] in LIVE, view
        return view

    def arrives(self, seconds: float = 120) -> None:
        """It completes, and both sides are equal: nothing is lost, nothing doubled, and the counts say so."""
        view = self.wait(lambda view: view["state"] in ("completed", "completed_with_errors", "failed"), seconds)
        assert (view["state"], view["items_failed"], view["progress_percent"]) == ("completed", 0, 100), view
        there = contents(self.source)
        assert difference(there, contents(self.destination)) == ""
        assert view["items_completed"] + view["items_skipped"] == view["items_total"] == there.total()

    def wait(self, until: Callable[[Snapshot], bool], seconds: float) -> Snapshot:
        last: list[Snapshot] = []

        def there() -> bool:
            view = self.view()
            if view is not None:
                last[:] = [view]
            return view is not None and until(view)

        try:
            wait_for(there, seconds, "the job got there")
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None
        return last[0]


def goes_on(moves: Iterable[Move], since: float, seconds: float = TAKEN_OVER_SECONDS) -> None:
    """Every job lives, and moves within `seconds` of the fault by more than what was under way when it struck."""
    wait_for(lambda: time.monotonic() > since + UNDER_WAY_SECONDS, 10, "what was under way has been counted")
    for move, before in [(move, move.lives()) for move in moves]:
        left = max(1.0, since + seconds - time.monotonic())
        done = before["items_completed"]
        move.wait(lambda view, done=done: view["items_completed"] > done, left)
