"""The copier's agent: it takes work in, the copier runs it in threads."""

from libs.contracts import topics
from libs.eventlog.consume import consume_each
from libs.eventlog.worker import Worker
from services.copier.copier import Copier


def attach(worker: Worker, copier: Copier) -> None:
    consume_each(worker.app, topics.WORK_ITEMS, copier.take)
    worker.on_revoked(lambda _partitions: copier.give_back())
