"""The lifetime of a service: open the stores, serve, work; at the end stop at a message boundary, commit, leave."""

import asyncio
import contextlib
import gc
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from socket import socket
from typing import Any, NoReturn

import structlog
import typer

from libs.contracts.ids import JobId
from libs.eventlog.brokers import Access
from libs.eventlog.membership import Member
from libs.eventlog.port import EventLog, LogInUse, LogRefused, LogUnavailable
from libs.eventlog.urls import open_log
from libs.eventlog.worker import Worker, WorkerNotStarted
from libs.readmodel.database import DatabaseRefused, DatabaseUrlInvalid
from libs.readmodel.model import ReadModel
from libs.readmodel.model import connect as connect_read_model
from libs.readmodel.port import ReadModelUnavailable
from libs.runtime import keys, process
from libs.runtime.health import Check, Health
from libs.runtime.settings import Settings

GRACE_SECONDS = 29.0  # so that it has ended within 30 s
TIDY_SECONDS = 10.0
WAIT_SECONDS = 5.0  # until a store that was away is looked for again; nothing answers for up to 10 s more

log = structlog.get_logger()


class CannotStart(Exception):
    """One line for the person who started it."""


class StoreAway(CannotStart):
    """Nothing says that a setting is wrong: it may come."""

    def __init__(self, check: str, text: str, error: Exception) -> None:
        super().__init__(text)
        self.check = check  # its name in `/readyz`
        self.reason = type(error.__cause__ or error).__name__  # of an exception, for the log


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service composed; each `close` blocks for a few seconds and lets the work come to a message boundary."""

    workers: Sequence[Worker] = ()
    close: Sequence[Callable[[], None]] = ()
    tidy: Sequence[Callable[[], None]] = ()  # called now and then
    app: Callable[[Health, asyncio.Event], Any] = field(default=lambda health, _stop: health)  # the ASGI app


Compose = Callable[[Settings, EventLog, ReadModel], Parts]


def run(name: str, settings: Settings, compose: Compose, ready: Callable[[str], str] | None = None) -> NoReturn:
    """A service of its own; `ready` says it to the person who started it, given the address."""

    async def main(stop: asyncio.Event) -> int:
        try:
            return await _serve(settings, compose, ready or (lambda address: f"mailtide {name}: {address}"), stop)
        except CannotStart as error:
            typer.echo(f"mailtide: {error}", err=True)
            return 1

    process.run(main, grace=process.GRACE_SECONDS if settings.embedded else GRACE_SECONDS)


def run_distributed(name: str, settings: Settings, compose: Compose) -> NoReturn:
    """One of the four; they meet in Kafka and ClickHouse."""
    for setting, text, wanted in (
        ("LOG_URL", settings.log_url, "kafka"),
        ("CLICKHOUSE_URL", settings.clickhouse_url.get_secret_value(), "http"),
    ):
        if not text.startswith(wanted):
            typer.echo(f"mailtide: MAILTIDE_{setting}: must start with {wanted} for a service of its own", err=True)
            process.leave(2)
    run(name, settings, compose)


async def _serve(settings: Settings, compose: Compose, ready: Callable[[str], str], stop: asyncio.Event) -> int:
    """Serve until `stop`; the exit status. A worker that dies ends the process with status 1.

    Raises:
        CannotStart: with what to do.
    """
    os.umask(0o077)  # what is written here is for this user only
    listener = _listen(settings)
    opened = await _open_when_there(settings, listener, stop)
    if opened is None:
        return 0
    eventlog, read_model = opened
    parts = compose(settings, eventlog, read_model)
    checks: Mapping[str, Check] = {
        "agents": lambda: all(worker.ready for worker in parts.workers),
        "clickhouse": lambda: _answers(read_model),
    }
    tidying = asyncio.create_task(_tidy(parts.tidy))
    try:
        async with process.serve(parts.app(Health(checks), stop), listener, settings.trusted_proxies):
            await _start(parts.workers)
            gc.freeze()  # what is there now stays: no collection looks at it again
            typer.echo(ready(_address(listener)))
            died = await _first_death(parts.workers, stop)
            stop.set()  # open streams end, so that the server can
            await asyncio.gather(*(asyncio.to_thread(close) for close in parts.close))
    finally:
        tidying.cancel()
        await asyncio.gather(*(worker.stop() for worker in parts.workers))
        await asyncio.to_thread(read_model.close)
        await asyncio.to_thread(eventlog.close)
    return 1 if died else 0


async def _open_when_there(
    settings: Settings, listener: socket, stop: asyncio.Event
) -> tuple[EventLog, ReadModel] | None:
    """A service of its own is alive and not ready until its stores are there; None: it was asked to stop before.

    Raises:
        CannotStart: a setting is wrong; stores that are files do not come by themselves.
    """
    try:
        return await asyncio.to_thread(open_stores, settings)
    except StoreAway as error:
        if settings.embedded:
            raise
        away = error
    # ClickHouse is asked once the log is there.
    health = Health({"log": lambda: away.check != "log", "clickhouse": lambda: False}, otherwise=503)
    async with process.serve(health, listener.dup()):
        while not stop.is_set():
            log.warning("process.start_delayed", check=away.check, error=away.reason)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WAIT_SECONDS)
                break
            try:
                return await asyncio.to_thread(open_stores, settings)
            except StoreAway as error:
                away = error
    return None


async def _tidy(tidy: Sequence[Callable[[], None]]) -> None:
    while tidy:
        await asyncio.sleep(TIDY_SECONDS)
        for each in tidy:
            await asyncio.to_thread(each)


async def _start(workers: Sequence[Worker]) -> None:
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
    except WorkerNotStarted as error:
        raise CannotStart("an agent did not get its part of the log") from error


async def _first_death(workers: Sequence[Worker], stop: asyncio.Event) -> bool:
    """True when a worker died; False when the process was asked to stop before."""
    stopped = asyncio.create_task(stop.wait())
    dead = [asyncio.create_task(worker.wait_until_dead()) for worker in workers]
    await asyncio.wait([stopped, *dead], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        return False
    log.error("process.worker_died")
    return True


def open_stores(settings: Settings) -> tuple[EventLog, ReadModel]:
    """
    Raises:
        CannotStart: they can't be opened; StoreAway, if they may come.
    """
    member = Member(settings.session_timeout_seconds, settings.instance)
    try:
        if settings.embedded:
            keys.make_data_dir(settings)
        eventlog = open_log(settings.log_url, timedelta(days=settings.retention_days), member, access(settings))
    except LogInUse:
        raise CannotStart("MAILTIDE_DATA_DIR: another Mailtide is running on this directory") from None
    except LogRefused as error:
        raise CannotStart(f"MAILTIDE_{error.setting}: {error}") from error
    except (LogUnavailable, OSError) as error:
        raise StoreAway("log", f"MAILTIDE_LOG_URL: the log can't be opened ({error})", error) from error
    try:
        return eventlog, open_read_model(settings)
    except CannotStart:
        eventlog.close()
        raise


def open_read_model(settings: Settings) -> ReadModel:
    """
    Raises:
        CannotStart: it can't be opened.
    """
    try:
        return connect_read_model(settings.clickhouse_url.get_secret_value(), settings.retention_days)
    except (DatabaseUrlInvalid, DatabaseRefused) as error:
        raise CannotStart(f"MAILTIDE_CLICKHOUSE_URL: {error}") from None
    except ReadModelUnavailable as error:
        raise StoreAway("clickhouse", f"MAILTIDE_CLICKHOUSE_URL: it does not answer ({error})", error) from error


def access(settings: Settings) -> Access:
    """To the brokers of a log on Kafka."""
    password = settings.log_password.get_secret_value() if settings.log_password else None
    return Access(settings.log_ca_file, settings.log_username, password)


def _listen(settings: Settings) -> socket:
    try:
        return process.listen(settings.address)
    except OSError as error:
        raise CannotStart(f"MAILTIDE_LISTEN: can't listen there ({os.strerror(error.errno or 0)})") from error


def _address(listener: socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _answers(read_model: ReadModel) -> bool:
    read_model.request(JobId(""))
    return True
