"""`mailtide up`: api, scanner, copier and aggregator as one process on one event loop; log and read model are files."""

from libs.eventlog.port import EventLog
from libs.readmodel.model import ReadModel
from libs.runtime.control import Control
from libs.runtime.mailboxes import connector
from libs.runtime.service import Parts, run
from libs.runtime.settings import Settings
from services.aggregator.__main__ import compose as compose_aggregator
from services.api.__main__ import compose as compose_api
from services.copier.__main__ import compose as compose_copier
from services.scanner.__main__ import compose as compose_scanner


def compose(settings: Settings, eventlog: EventLog, read_model: ReadModel) -> Parts:
    """The services on one log and one read model, each with a worker of its own."""
    control, connect = Control(eventlog, read_model), connector(settings)
    agents = [
        compose_scanner(settings, eventlog, read_model, control, connect),
        compose_copier(settings, eventlog, read_model, control, connect),
        compose_aggregator(settings, eventlog, read_model),
    ]
    return Parts(
        workers=[worker for parts in agents for worker in parts.workers],
        close=[close for parts in agents for close in parts.close],
        tidy=[tidy for parts in agents for tidy in parts.tidy],
        app=compose_api(settings, eventlog, read_model, connect).app,
    )


def main(settings: Settings) -> None:
    """Does not return."""
    public_url = str(settings.public_url).rstrip("/") if settings.public_url else None
    run("up", settings, compose, lambda address: f"Mailtide is ready: {public_url or address}")
