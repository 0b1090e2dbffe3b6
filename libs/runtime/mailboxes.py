"""How this installation logs in to mail servers."""

from collections.abc import Callable
from functools import partial

from libs.contracts.accounts import Account
from libs.mailbox.backoff import Backoffs
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.port import Session
from libs.runtime.settings import Settings

Connect = Callable[[Account], Session]


def connector(settings: Settings) -> Connect:
    """It remembers which servers asked for patience."""
    policy = ConnectPolicy(
        allow_networks=settings.allow_networks,
        allow_ports=settings.allow_ports,
        allow_plain=settings.allow_plain,
        tls_ca_file=settings.tls_ca_file,
    )
    return partial(connect, policy=policy, backoffs=Backoffs())
