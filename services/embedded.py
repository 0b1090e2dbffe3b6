"""`mailtide up`: api, scanner, copier and aggregator as one process on one event loop; log and read model are files."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import socket
from uuid import uuid4

import structlog
import typer

from libs.contracts.ids import JobId
from libs.eventlog.port import EventLog, LogInUse, LogRefused, LogUnavailable
from libs.eventlog.urls import open_log
from libs.eventlog.worker import Worker, WorkerNotStarted
from libs.mailbox.backoff import Backoffs
from libs.mailbox.connect import ConnectPolicy
from libs.mailbox.connect import connect as connect_mailbox
from libs.readmodel.database import DatabaseUrlInvalid
from libs.readmodel.model import ReadModel
from libs.readmodel.model import connect as connect_read_model
from libs.readmodel.port import ReadModelUnavailable
from libs.runtime import keys, process
from libs.runtime.control import Control
from libs.runtime.health import Health
from libs.runtime.settings import Settings
from libs.vault.clickhouse import ClickHouseVault
from libs.vault.recipients import Recipients
from services.aggregator.agent import AggregatorAgent
from services.aggregator.aggregator import Aggregator
from services.aggregator.census import Census
from services.aggregator.postman import Postman
from services.aggregator.smtp import Smtp
from services.api.app import create_app
from services.api.deps import Deps
from services.copier import agent as copier_agent
from services.copier.copier import Copier
from services.scanner import agent as scanner_agent
from services.scanner.scanner import Scanner

IDLE_SECONDS = 10.0  # between two looks for connections of the scanner that nobody uses

log = structlog.get_logger()


class CannotStart(Exception):
    """One line for the person who started it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What was composed; `close` blocks for at most 5 s and lets the agents' work come to a message boundary."""

    deps: Deps
    scanner: Scanner
    workers: tuple[Worker, ...]
    close: tuple[Callable[[], None], ...]

    @property
    def agents_ready(self) -> bool:
        return all(worker.ready for worker in self.workers)


async def up(settings: Settings, stop: asyncio.Event) -> int:
    """Serve until `stop`; the exit status. A worker that dies ends the process with status 1.

    Raises:
        CannotStart: with what to do.
    """
    os.umask(0o077)  # what is written here is for this user only
    listener = _listen(settings)
    eventlog, read_model = await asyncio.to_thread(open_stores, settings)
    parts = compose(settings, eventlog, read_model)
    health = Health({"agents": lambda: parts.agents_ready, "clickhouse": lambda: _answers(read_model)})
    tidying = asyncio.create_task(_close_idle(parts.scanner))
    try:
        async with process.serve(create_app(parts.deps, health, stop), listener):
            await _start(parts.workers)
            typer.echo(f"Mailtide is ready: {parts.deps.public_url or _address(listener)}")
            died = await _first_death(parts.workers, stop)
            stop.set()  # open streams end, so that the server can
            await asyncio.gather(*(asyncio.to_thread(close) for close in parts.close))
    finally:
        tidying.cancel()
        await asyncio.gather(*(worker.stop() for worker in parts.workers))
        await asyncio.to_thread(read_model.close)
        await asyncio.to_thread(eventlog.close)
    return 1 if died else 0


async def _first_death(workers: tuple[Worker, ...], stop: asyncio.Event) -> bool:
    """True when a worker died; False when the process was asked to stop before."""
    stopped = asyncio.create_task(stop.wait())
    dead = [asyncio.create_task(worker.wait_until_dead()) for worker in workers]
    await asyncio.wait([stopped, *dead], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        return False
    log.error("process.worker_died")
    return True


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


def open_stores(settings: Settings) -> tuple[EventLog, ReadModel]:
    """
    Raises:
        CannotStart: they can't be opened.
    """
    try:
        keys.make_data_dir(settings)
        eventlog = open_log(settings.log_url, timedelta(days=settings.retention_days))
    except LogInUse:
        raise CannotStart("MAILTIDE_DATA_DIR: another Mailtide is running on this directory") from None
    except (LogRefused, LogUnavailable, OSError) as error:
        raise CannotStart(f"MAILTIDE_LOG_URL: the log can't be opened ({error})") from error
    try:
        return eventlog, connect_read_model(settings.clickhouse_url.get_secret_value(), settings.retention_days)
    except (DatabaseUrlInvalid, ReadModelUnavailable) as error:
        eventlog.close()
        raise CannotStart(f"MAILTIDE_CLICKHOUSE_URL: it does not answer ({type(error).__name__})") from None


def compose(settings: Settings, eventlog: EventLog, read_model: ReadModel) -> Parts:
    """The services on one log and one read model, each with a worker of its own."""
    account_key = keys.account_key(settings)
    vault = ClickHouseVault(read_model, keys.master_keys(settings))
    control = Control(eventlog, read_model)
    policy = ConnectPolicy(
        allow_networks=settings.allow_networks,
        allow_ports=settings.allow_ports,
        allow_plain=settings.allow_plain,
        tls_ca_file=settings.tls_ca_file,
    )
    connect = partial(connect_mailbox, policy=policy, backoffs=Backoffs())
    scanner = Scanner(eventlog=eventlog, store=read_model, vault=vault, control=control, connect=connect)
    copier = Copier(
        eventlog=eventlog,
        store=read_model,
        vault=vault,
        control=control,
        connect=connect,
        account_key=account_key,
        incarnation=uuid4().hex,
        threads=settings.copier_threads,
        late_commit_seconds=settings.late_commit_seconds,
    )
    now = partial(datetime.now, UTC)
    aggregator = AggregatorAgent(Aggregator(read_model, vault, eventlog, now))
    workers = tuple(Worker(service, eventlog) for service in ("scanner", "copier", "aggregator"))
    scanner_agent.attach(workers[0], scanner)
    copier_agent.attach(workers[1], copier)
    aggregator.attach(workers[2])
    aggregator.start()
    recipients = (
        Recipients(read_model, keys.master_keys(settings)) if settings.smtp_url and settings.mail_from else None
    )
    census = Census(read_model.watching.live, read_model.watching.views, read_model.held, now)
    census.start()
    closing = [scanner.close, copier.close, aggregator.close, census.close]
    if recipients and settings.smtp_url and settings.mail_from:
        smtp = Smtp(settings.smtp_url.get_secret_value(), settings.tls_ca_file)
        views = read_model.watching.views
        postman = Postman(read_model, views, recipients, smtp.send, settings.mail_from, now)
        postman.start()
        closing.append(postman.close)
    deps = Deps(
        log=eventlog,
        store=read_model,
        views=read_model.watching,
        projects=read_model,
        agents=read_model,
        vault=vault,
        recipients=recipients,
        connect=connect,
        account_key=account_key,
        operator_token=settings.operator_token.get_secret_value() if settings.operator_token else None,
        public_url=str(settings.public_url).rstrip("/") if settings.public_url else None,
    )
    return Parts(deps, scanner, workers, tuple(closing))


async def _start(workers: tuple[Worker, ...]) -> None:
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
    except WorkerNotStarted as error:
        raise CannotStart("an agent did not get its part of the log") from error


async def _close_idle(scanner: Scanner) -> None:
    while True:
        await asyncio.sleep(IDLE_SECONDS)
        await asyncio.to_thread(scanner.close_idle)


def main(settings: Settings) -> None:
    """Does not return."""

    async def run(stop: asyncio.Event) -> int:
        try:
            return await up(settings, stop)
        except CannotStart as error:
            typer.echo(f"mailtide: {error}", err=True)
            return 1

    process.run(run)
