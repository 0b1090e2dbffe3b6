"""A copier in a process of its own, which reaches log, store, vault and group through a pipe to the test."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from libs.contracts.codec import Message
from libs.contracts.commands import CopyFolder
from libs.contracts.topics import Topic
from libs.eventlog.consume import Delivery
from libs.mailbox.connect import ConnectPolicy, connect
from libs.runtime.control import Control
from services.copier.copier import Copier
from services.copier.lease import GroupLease, boot_seconds
from tests.integration.conftest import LOOPBACK
from tests.unit.fakes import utc_now
from tests.unit.world import ACCOUNT_KEY

SESSION_SECONDS, MARGIN_SECONDS, HEARTBEAT_SECONDS = 6.0, 2.0, 0.2  # a busy machine is no expired session
FENCED, ACKNOWLEDGED = 10, 11  # exit statuses


class Group:
    """The broker's view of one member: its session begins with its first heartbeat, and once over, none brings it
    back."""

    def __init__(self) -> None:
        self._last: float | None = None

    @property
    def expired(self) -> bool:
        return self._last is not None and boot_seconds() - self._last > SESSION_SECONDS

    def heartbeat(self) -> bool:
        if self.expired:
            return False
        self._last = boot_seconds()
        return True


def serve(pipe: Connection, targets: Mapping[str, object]) -> None:
    """Carry out what the other process calls, until it is gone."""
    while True:
        try:
            target, name, arguments, named = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send((getattr(targets[target], name)(*arguments, **named), None))
        except Exception as error:  # noqa: BLE001 - it is raised again over there
            pipe.send((None, error))


class Remote:
    def __init__(self, pipe: Connection, lock: threading.Lock, target: str) -> None:
        self._pipe, self._lock, self._target = pipe, lock, target

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: object, **named: object) -> Any:
            with self._lock:
                self._pipe.send((self._target, name, arguments, named))
                result, error = self._pipe.recv()
            if error is not None:
                raise error
            return result

        return call


@dataclass(frozen=True)
class RemoteLog:
    log: Remote

    def append(self, topic: Topic, key: str, message: Message) -> None:
        self.log.append(topic, key, message)

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        self.log.append_all(topic, messages)

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None: ...

    def close(self) -> None: ...


def run(pipe: Connection, item: CopyFolder, ports: Sequence[int], late_seconds: float) -> None:
    """Work on one item until it is done with; the exit status says how it ended."""
    lock = threading.Lock()
    store, vault, group, log = (Remote(pipe, lock, name) for name in ("store", "vault", "group", "log"))
    last: float | None = boot_seconds()

    def beat() -> None:
        nonlocal last
        while True:
            sent = boot_seconds()
            last = sent if group.heartbeat() else None
            if last is None:
                copier.give_back()
                return
            time.sleep(HEARTBEAT_SECONDS)

    lease = GroupLease(
        lambda: last, session_timeout=SESSION_SECONDS, margin=MARGIN_SECONDS, taken_over=time.monotonic()
    )
    eventlog = RemoteLog(log)
    policy = ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=ports, allow_plain=True)
    copier = Copier(
        eventlog=eventlog,
        store=store,  # type: ignore[arg-type]
        vault=vault,  # type: ignore[arg-type]
        control=Control(eventlog, store),  # type: ignore[arg-type]
        connect=partial(connect, policy=policy),
        account_key=ACCOUNT_KEY,
        incarnation="frozen",
        threads=2,
        late_commit_seconds=late_seconds,
        lease=lambda _partition: lease,
    )
    threading.Thread(target=beat, daemon=True).start()
    done = threading.Event()
    copier.take(
        Delivery(message=item, key=item.account_digest, partition=0, offset=0, at=utc_now(), acknowledge=done.set)
    )
    while copier._jobs:
        time.sleep(0.02)
    raise SystemExit(ACKNOWLEDGED if done.is_set() else FENCED)
