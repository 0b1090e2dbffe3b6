"""The scanner's agents: they take work in, the lanes carry it out."""

from libs.contracts import topics
from libs.eventlog.consume import consume_each
from libs.eventlog.worker import Worker
from services.scanner.scanner import Scanner


def attach(worker: Worker, scanner: Scanner) -> None:
    consume_each(worker.app, topics.COMMANDS, scanner.take_command)
    consume_each(worker.app, topics.FOLDER_SCANS, scanner.take_scan)
    worker.on_revoked(lambda _partitions: scanner.give_back())
