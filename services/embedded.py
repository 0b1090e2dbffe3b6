"""`mailtide up`: the whole of Mailtide in one process, on one event loop. The parts are those of the four services."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from libs.contracts.ids import JobId
from libs.eventlog import open_log
from libs.eventlog.worker import Worker
from libs.mailbox.connect import ConnectPolicy, connect
from libs.readmodel.model import ReadModel
from libs.readmodel.model import connect as open_read_model
from libs.runtime.control import Control
from libs.runtime.health import Check, Health
from libs.runtime.keys import account_key, make_data_dir, master_keys
from libs.runtime.process import serve
from libs.runtime.settings import Settings
from libs.vault.clickhouse import ClickHouseVault
from services.aggregator.agent import AggregatorAgent
from services.aggregator.aggregator import Aggregator
from services.api.app import create_app
from services.api.deps import Deps
from services.copier import agent as copier_agent
from services.copier.copier import Copier
from services.scanner import agent as scanner_agent
from services.scanner.scanner import Scanner

log = structlog.get_logger()


async def up(settings: Settings, stop: asyncio.Event) -> int:
    """Run until `stop` is set (status 0) or a worker has died (status 1)."""
    make_data_dir(settings)
    retention = timedelta(days=settings.retention_days)
    eventlog = await asyncio.to_thread(open_log, settings.log_url, retention)
    store = await asyncio.to_thread(
        open_read_model, settings.clickhouse_url.get_secret_value(), settings.retention_days
    )
    vault = ClickHouseVault(store, master_keys(settings))
    digest_key = account_key(settings)
    control = Control(eventlog, store)
    connect_to = partial(connect, policy=policy(settings))
    scanner = Scanner(eventlog=eventlog, store=store, vault=vault, control=control, connect=connect_to)
    copier = Copier(
        eventlog=eventlog,
        store=store,
        vault=vault,
        control=control,
        connect=connect_to,
        account_key=digest_key,
        incarnation=secrets.token_hex(8),
        threads=settings.copier_threads,
        late_commit_seconds=settings.late_commit_seconds,
    )
    aggregator = AggregatorAgent(Aggregator(store, vault, eventlog, lambda: datetime.now(UTC)))
    workers = {name: Worker(name, eventlog) for name in ("scanner", "copier", "aggregator")}
    scanner_agent.attach(workers["scanner"], scanner)
    copier_agent.attach(workers["copier"], copier)
    aggregator.attach(workers["aggregator"])

    deps = Deps(
        log=eventlog,
        store=store,
        views=store.watching,
        vault=vault,
        connect=connect_to,
        account_key=digest_key,
        operator_token=settings.operator_token.get_secret_value() if settings.operator_token else None,
        public_url=str(settings.public_url).rstrip("/") if settings.public_url else None,
    )
    checks: dict[str, Check] = {name: partial(_ready, worker) for name, worker in workers.items()}
    health = Health(checks | {"store": partial(_answers, store)})
    async with AsyncExitStack() as stack:
        host, port = await stack.enter_async_context(serve(create_app(deps, health, stop), settings.address))
        await asyncio.gather(*(worker.start() for worker in workers.values()))
        aggregator.start()
        log.info("ready", address=f"http://{host}:{port}")
        deaths = [asyncio.create_task(worker.wait_until_dead()) for worker in workers.values()]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *deaths], return_when=asyncio.FIRST_COMPLETED)
        died = not stop.is_set()
        stop.set()  # open streams end
        await asyncio.gather(asyncio.to_thread(copier.close), asyncio.to_thread(scanner.close))
        await asyncio.gather(*(worker.stop() for worker in workers.values()))
        await asyncio.to_thread(aggregator.close)
    await asyncio.to_thread(eventlog.close)
    if died:
        log.error("a worker has died")
    return 1 if died else 0


def policy(settings: Settings) -> ConnectPolicy:
    return ConnectPolicy(
        allow_networks=settings.allow_networks,
        allow_ports=settings.allow_ports,
        allow_plain=settings.allow_plain,
        tls_ca_file=settings.tls_ca_file,
    )


def _ready(worker: Worker) -> bool:
    return worker.ready


def _answers(store: ReadModel) -> bool:
    store.desired(JobId("none"))  # any question will do
    return True
