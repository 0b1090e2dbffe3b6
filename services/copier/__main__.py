"""`mailtide copier`: composed of Kafka and ClickHouse."""

from functools import partial
from uuid import uuid4

from libs.contracts import topics
from libs.eventlog.port import EventLog
from libs.eventlog.worker import Worker
from libs.readmodel.model import ReadModel
from libs.runtime import keys
from libs.runtime.control import Control
from libs.runtime.mailboxes import Connect, connector
from libs.runtime.service import Parts, run_distributed
from libs.runtime.settings import Settings
from libs.vault.clickhouse import ClickHouseVault
from services.copier import agent
from services.copier.copier import Copier
from services.copier.lease import GroupLease, Lease, margin


def compose(
    settings: Settings,
    eventlog: EventLog,
    read_model: ReadModel,
    control: Control | None = None,
    connect: Connect | None = None,
) -> Parts:
    """`control`, `connect`: those of the process, where it has several services."""
    worker = Worker("copier", eventlog)
    copier = Copier(
        eventlog=eventlog,
        store=read_model,
        vault=ClickHouseVault(read_model, keys.master_keys(settings)),
        control=control or Control(eventlog, read_model),
        connect=connect or connector(settings),
        account_key=keys.account_key(settings),
        incarnation=uuid4().hex,
        threads=settings.copier_threads,
        late_commit_seconds=settings.late_commit_seconds,
        lease=None if settings.embedded else partial(_lease, worker, settings.session_timeout_seconds),
    )
    agent.attach(worker, copier)
    return Parts(workers=[worker], close=[copier.close])


def _lease(worker: Worker, session_timeout: float, partition: int) -> Lease:
    held = worker.membership.hold(topics.WORK_ITEMS.name, partition)
    return GroupLease(
        held.last_heartbeat,
        session_timeout=session_timeout,
        margin=margin(session_timeout),
        taken_over=held.taken_over,
    )


def main(settings: Settings) -> None:
    """Does not return."""
    run_distributed("copier", settings, compose)
