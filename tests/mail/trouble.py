"""What can be scripted to go wrong at an account in memory: `model.at("append", 2, LostAfterCrlf())`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from libs.contracts.reasons import Reason

Operation = Literal[
    "connect",
    "folders",
    "status",
    "examine",
    "listing",
    "fetch",
    "piece",
    "create",
    "append",
    "committing",
    "committed",
    "noop",
]


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ends before the operation has any effect; an append before its CRLF."""


@dataclass(frozen=True, slots=True)
class LostAfterCrlf:
    """The whole append was sent, its answer never comes. It lands after `commit` seconds, or (None) never."""

    commit: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Busy:
    retry_after: float = 0.01


@dataclass(frozen=True, slots=True)
class Refused:
    reason: Reason = Reason.FOLDER_REFUSED


@dataclass(frozen=True, slots=True)
class Do:
    """Something else happens first: another client writes, a folder is made anew, the process is killed …"""

    action: Callable[[], None]


Fault = Lost | LostAfterCrlf | Busy | Refused | Do
