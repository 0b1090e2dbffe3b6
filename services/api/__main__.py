"""`mailtide api`: composed of Kafka and ClickHouse; it has no group, every replica answers everybody."""

from libs.eventlog.port import EventLog
from libs.readmodel.model import ReadModel
from libs.runtime import keys
from libs.runtime.mailboxes import Connect, connector
from libs.runtime.service import Parts, run_distributed
from libs.runtime.settings import Settings
from libs.vault.clickhouse import ClickHouseVault
from libs.vault.recipients import Recipients
from services.api.app import create_app
from services.api.deps import Deps


def deps_of(settings: Settings, eventlog: EventLog, read_model: ReadModel, connect: Connect) -> Deps:
    master_keys = keys.master_keys(settings)
    sends_mail = settings.smtp_url is not None and settings.mail_from is not None
    return Deps(
        log=eventlog,
        store=read_model,
        views=read_model.watching,
        projects=read_model,
        agents=read_model,
        vault=ClickHouseVault(read_model, master_keys),
        recipients=Recipients(read_model, master_keys) if sends_mail else None,
        connect=connect,
        account_key=keys.account_key(settings),
        operator_token=settings.operator_token.get_secret_value() if settings.operator_token else None,
        public_url=str(settings.public_url).rstrip("/") if settings.public_url else None,
    )


def compose(settings: Settings, eventlog: EventLog, read_model: ReadModel, connect: Connect | None = None) -> Parts:
    """`connect`: that of the process, where it has several services."""
    deps = deps_of(settings, eventlog, read_model, connect or connector(settings))
    return Parts(app=lambda health, stop: create_app(deps, health, stop))


def main(settings: Settings) -> None:
    """Does not return."""
    run_distributed("api", settings, compose)
