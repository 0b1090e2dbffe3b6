"""From an account to a session, within a deadline; each failure says what to do."""

import contextlib
import ssl
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from socket import create_connection, socket

from libs.contracts.accounts import Account
from libs.contracts.reasons import Reason
from libs.mailbox import meaning, measured
from libs.mailbox.addresses import Network, permitted, resolve
from libs.mailbox.backoff import Backoff, Backoffs
from libs.mailbox.client import ANSWERS, Client, Heard
from libs.mailbox.errors import AccountUnusable, MailboxBusy, MailboxError
from libs.mailbox.login import login
from libs.mailbox.parse import Status
from libs.mailbox.port import Session
from libs.mailbox.session import ImapSession
from libs.mailbox.stream import OPERATION_SECONDS, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectPolicy:
    """Where this installation lets people connect to."""

    allow_networks: Collection[Network] = ()  # though they are private, loopback or link-local
    allow_ports: Collection[int] = (143, 993)
    allow_plain: bool = False  # a login without TLS
    tls_ca_file: Path | None = None  # PEM; trusted instead of the system's certificates
    patience: float = OPERATION_SECONDS  # with an operation that moves no byte
    compress_locally: bool = False  # COMPRESS=DEFLATE, though the network is faster than deflate


def connect(
    account: Account, policy: ConnectPolicy, backoffs: Backoffs | None = None, *, deadline_seconds: float = 12
) -> Session:
    """Resolve, connect, secure and log in, all within the deadline.

    `backoffs` are those of the process; without them a connection heeds only what it is told itself.

    Raises:
        AccountUnusable: asking again will not help; the reason says what is wrong.
        MailboxBusy: nothing answers, or not in time, or the server asks, or has asked, for patience.
    """
    with measured.login():
        return _connect(account, policy, backoffs, deadline_seconds)


def _connect(account: Account, policy: ConnectPolicy, backoffs: Backoffs | None, deadline_seconds: float) -> Session:
    backoff = (backoffs or Backoffs()).of(account)
    backoff.check()
    deadline = time.monotonic() + deadline_seconds
    if account.port not in policy.allow_ports:
        raise AccountUnusable(Reason.ADDRESS_REFUSED)
    if account.security == "plain" and not policy.allow_plain:
        raise AccountUnusable(Reason.PLAIN_REFUSED)
    addresses = permitted(resolve(account.host, account.port, deadline_seconds), policy.allow_networks)
    if not addresses:
        raise AccountUnusable(Reason.ADDRESS_REFUSED)
    stream = Stream(_open(addresses, deadline), deadline, patience=policy.patience)
    try:
        return _log_in(stream, account, policy, backoff)
    except BaseException as error:
        if isinstance(error, MailboxError):
            backoff.heed(error)
        stream.reset()
        raise


def _open(addresses: Sequence[tuple[str, int]], deadline: float) -> socket:
    """The first that answers. Each gets its share of the time: one that is silent must not use it up."""
    failure = MailboxBusy(Reason.TIMED_OUT)
    for index, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - index)
        if share <= 0:
            break
        try:
            return create_connection(address, timeout=share)  # an address, not a name: nothing is resolved again
        except TimeoutError:
            failure = MailboxBusy(Reason.TIMED_OUT)
        except OSError:
            failure = MailboxBusy(Reason.CONNECTION_REFUSED)
    raise failure


def _log_in(stream: Stream, account: Account, policy: ConnectPolicy, backoff: Backoff) -> Session:
    heard = Heard()
    trust = _trust(policy.tls_ca_file)
    if account.security == "tls":
        with _securing():
            stream.wrap(trust, account.host)
    with _understanding(heard, lambda said: meaning.busy(said) or AccountUnusable(Reason.NOT_IMAP, said.text)):
        client = Client(stream, account, heard)
    if account.security == "starttls":
        if not client.awaits_login or not client.has_capability("STARTTLS"):
            raise AccountUnusable(Reason.TLS_UNAVAILABLE)
        with (
            _understanding(
                heard, lambda said: meaning.busy(said) or AccountUnusable(Reason.TLS_UNAVAILABLE, said.text)
            ),
            _securing(),
        ):
            client.starttls(trust)
    with _understanding(heard, meaning.refused_login):
        login(client, account)
        capabilities = frozenset(capability.decode("latin-1").upper() for capability in client.capabilities())
    session = ImapSession(stream, capabilities, backoff)
    if "COMPRESS=DEFLATE" in capabilities and (policy.compress_locally or not stream.is_local):
        session.compress()
    stream.operate()
    return session


@lru_cache(maxsize=8)
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Verifies certificate and name. Reading the system's certificates takes 20 ms: once is enough."""
    return ssl.create_default_context(cafile=ca_file)


@contextlib.contextmanager
def _securing() -> Generator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise AccountUnusable(Reason.TLS_UNTRUSTED) from None  # it quotes the host
    except TimeoutError as error:
        raise MailboxBusy(Reason.TIMED_OUT) from error
    except (ssl.SSLEOFError, ConnectionError) as error:
        raise MailboxBusy(Reason.CONNECTION_LOST) from error
    except ssl.SSLError as error:
        raise AccountUnusable(Reason.TLS_UNAVAILABLE) from error


@contextlib.contextmanager
def _understanding(heard: Heard, refused: Callable[[Status], MailboxError]) -> Generator[None]:
    """What the server refused, or how it failed to answer.

    The driver's exceptions quote the server, so they are not kept as causes:
    a traceback must not show what a server says.
    """
    try:
        yield
    except (OSError, *ANSWERS) as error:
        cause = error if isinstance(error, OSError) else error.__context__  # imaplib wraps what it meets in sending
        if isinstance(cause, TimeoutError):
            raise MailboxBusy(Reason.TIMED_OUT) from None
        if heard.refusal:
            raise refused(heard.refusal) from None
        if isinstance(cause, OSError):
            raise MailboxBusy(Reason.CONNECTION_LOST) from None
        raise AccountUnusable(Reason.NOT_IMAP) from None
