"""The events of one job, over broken connections."""

import json
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx2

from libs.contracts.jobs import JobState
from libs.contracts.views import FailureRow, Snapshot

SILENCE_SECONDS = 40.0  # the api says something every 15 s
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
GIVE_UP_SECONDS = 120.0  # without one answer


class WatchFailed(Exception):
    """There is nothing to watch; the message says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    state: JobState


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection broke; it is tried again."""


Event = Snapshot | Ended | Lost


def job_url(url: str) -> str:
    """The address of the job in the api, from its page's address or any of its api addresses.

    Raises:
        WatchFailed: it is neither.
    """
    parts = urlsplit(url)
    before, found, after = parts.path.partition("/jobs/")
    key = after.split("/")[0]
    if parts.scheme not in ("http", "https") or not parts.netloc or not found or not key:
        raise WatchFailed("This is not the address of a migration: it looks like https://…/jobs/…")
    path = f"{before.removesuffix('/api')}/api/jobs/{key}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def follow(client: httpx2.Client, job: str) -> Iterator[Event]:
    """Until the job has ended.

    Raises:
        WatchFailed: there is no such job, or nobody answers for two minutes.
    """
    pause, heard, seen = SHORTEST_PAUSE, time.monotonic(), False
    while True:
        try:
            with client.stream("GET", f"{job}/events", timeout=SILENCE_SECONDS) as answer:
                if answer.status_code == 404 and seen:
                    yield Ended(JobState.GONE)
                    return
                _check(answer)
                for event in _events(answer.iter_lines()):
                    pause, heard, seen = SHORTEST_PAUSE, time.monotonic(), True
                    yield event
                    if isinstance(event, Ended):
                        return
        except httpx2.TransportError:
            pass
        if time.monotonic() - heard > GIVE_UP_SECONDS:
            raise WatchFailed("Mailtide does not answer.")
        yield Lost()
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def failures(client: httpx2.Client, job: str) -> list[FailureRow] | None:
    """None: they can't be had right now."""
    try:
        answer = client.get(f"{job}/failures", timeout=10)
    except httpx2.TransportError:
        return None
    return [FailureRow.model_validate(row) for row in answer.json()] if answer.status_code == 200 else None


def _check(answer: httpx2.Response) -> None:
    """
    Raises:
        WatchFailed: asking again will not help.
        httpx2.ReadError: it may.
    """
    if answer.status_code == 404:
        raise WatchFailed("There is nothing here (any more).")
    if answer.status_code >= 500 or answer.status_code == 429:
        raise httpx2.ReadError(f"status {answer.status_code}")
    if answer.status_code != 200 or not answer.headers.get("content-type", "").startswith("text/event-stream"):
        raise WatchFailed(f"What answers there is not Mailtide (status {answer.status_code}).")


def _events(lines: Iterable[str]) -> Generator[Snapshot | Ended]:
    """Server-sent events, as far as the api uses them."""
    name, data = "", ""
    for line in lines:
        field, _, value = line.partition(":")
        match field:
            case "event":
                name = value.strip()
            case "data":
                data += value.strip()
            case "" if not line:
                if name == "snapshot":
                    yield Snapshot.model_validate_json(data)
                elif name == "end":
                    yield Ended(JobState(json.loads(data)["state"]))
                name, data = "", ""
            case _:
                pass
