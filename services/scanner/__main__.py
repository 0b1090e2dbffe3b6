"""`mailtide scanner`: composed of Kafka and ClickHouse."""

from libs.eventlog.port import EventLog
from libs.eventlog.worker import Worker
from libs.readmodel.model import ReadModel
from libs.runtime import keys
from libs.runtime.control import Control
from libs.runtime.mailboxes import Connect, connector
from libs.runtime.service import Parts, run_distributed
from libs.runtime.settings import Settings
from libs.vault.clickhouse import ClickHouseVault
from services.scanner import agent
from services.scanner.scanner import Scanner


def compose(
    settings: Settings,
    eventlog: EventLog,
    read_model: ReadModel,
    control: Control | None = None,
    connect: Connect | None = None,
) -> Parts:
    """`control`, `connect`: those of the process, where it has several services."""
    scanner = Scanner(
        eventlog=eventlog,
        store=read_model,
        vault=ClickHouseVault(read_model, keys.master_keys(settings)),
        control=control or Control(eventlog, read_model),
        connect=connect or connector(settings),
    )
    worker = Worker("scanner", eventlog)
    agent.attach(worker, scanner)
    return Parts(workers=[worker], close=[scanner.close], tidy=[scanner.close_idle])


def main(settings: Settings) -> None:
    """Does not return."""
    run_distributed("scanner", settings, compose)
