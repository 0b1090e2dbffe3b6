"""A real account where the unit tests' world has a model: its scanner and copier run against real servers."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from libs.mailbox.port import Session


class Real:
    """What a world asks of an account is `connect`; `before(method, number, action)` does something at the `number`th
    call of a session's method (1: the next), of whatever session."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self.calls: Counter[str] = Counter()
        self.actions: dict[tuple[str, int], Callable[[], None]] = {}

    def before(self, method: str, number: int, action: Callable[[], None]) -> None:
        self.actions[method, self.calls[method] + number] = action

    def connect(self) -> Session:
        return _Watched(self, self._connect())  # type: ignore[return-value]


class _Watched:
    def __init__(self, account: Real, session: Session) -> None:
        self._account = account
        self._session = session

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> Any:
            account = self._account
            account.calls[name] += 1
            action = account.actions.pop((name, account.calls[name]), None)
            if action is not None:
                action()
            return found(*args, **named)

        return call
