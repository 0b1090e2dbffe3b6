"""`mailtide aggregator`: composed of Kafka and ClickHouse."""

from datetime import UTC, datetime
from functools import partial

from libs.contracts import topics
from libs.eventlog.port import EventLog
from libs.eventlog.worker import Worker
from libs.readmodel.model import ReadModel
from libs.runtime import keys
from libs.runtime.service import Parts, run_distributed
from libs.runtime.settings import Settings
from libs.vault.clickhouse import ClickHouseVault
from libs.vault.recipients import Recipients
from services.aggregator.agent import AggregatorAgent
from services.aggregator.aggregator import Aggregator
from services.aggregator.census import Census
from services.aggregator.postman import Postman
from services.aggregator.smtp import Smtp


def _now() -> datetime:
    return datetime.now(UTC)


def compose(settings: Settings, eventlog: EventLog, read_model: ReadModel) -> Parts:
    """What is done for all jobs is done by one of the replicas: the one that has the first partition."""
    worker = Worker("aggregator", eventlog)

    def leads() -> bool:
        return settings.embedded or worker.membership.hold(topics.PROGRESS.name, 0).last_heartbeat() is not None

    master_keys = keys.master_keys(settings)
    vault = ClickHouseVault(read_model, master_keys)
    aggregator = AggregatorAgent(Aggregator(read_model, vault, eventlog, _now), leads)
    aggregator.attach(worker)
    aggregator.start()
    census = Census(read_model.watching.live, read_model.watching.jobs, partial(read_model.held, "vault"), _now)
    census.start()
    closing = [aggregator.close, census.close]
    if settings.smtp_url and settings.mail_from:
        smtp = Smtp(settings.smtp_url.get_secret_value(), settings.tls_ca_file)
        recipients = Recipients(read_model, master_keys)
        postman = Postman(read_model, read_model.watching.views, recipients, smtp.send, settings.mail_from, _now, leads)
        postman.start()
        closing.append(postman.close)
    return Parts(workers=[worker], close=closing)


def main(settings: Settings) -> None:
    """Does not return."""
    run_distributed("aggregator", settings, compose)
