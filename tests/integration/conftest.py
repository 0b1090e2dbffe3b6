"""What integration tests share."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Protocol

import pytest

from libs.contracts.accounts import Account
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.port import Session
from tests.servers.dovecot import Dovecot
from tests.servers.server import MailServer

LOOPBACK = ip_network("127.0.0.0/8")


class Open(Protocol):
    def __call__(self, account: Account, server: MailServer | None = None) -> Session: ...


def policy_for(server: MailServer) -> ConnectPolicy:
    """Everything that this server offers is allowed."""
    return ConnectPolicy(
        allow_networks=[LOOPBACK],
        allow_ports=[server.imap_port, server.imaps_port],
        allow_plain=True,
        tls_ca_file=server.ca_file,
    )


@pytest.fixture
def opened(dovecot: Dovecot) -> Iterator[Callable[..., Session]]:
    """Opens sessions that are closed after the test; of the shared server unless another one is given."""
    sessions: list[Session] = []

    def open_session(account: Account, server: MailServer | None = None) -> Session:
        session = connect(account, policy_for(server or dovecot))
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()
