"""Doubt about a destination folder: an append may still land (COPYING rules 11 to 13)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from libs.contracts.ids import PlanId
from libs.mailbox.port import Session
from services.copier.hold import Hold
from services.copier.ledger import Ledger, Ref
from services.copier.tail import Tail


@dataclass(slots=True)
class Doubt:
    """Belongs to one folder of one account.

    `quiet_since` is the monotonic time of the last thing that speaks for an
    append on its way: its connection's end, or our take-over from a process
    that died. Finding one of ours moves it; mail from elsewhere does not, or a
    busy folder would never settle. `sent` is what was sent and not answered of
    the plan `plan_id`; to another plan it says nothing.
    """

    quiet_since: float = field(default_factory=time.monotonic)
    plan_id: PlanId | None = None  # None: what was sent is not known
    sent: Sequence[Ref] = ()


def settle(
    doubt: Doubt, ledger: Ledger, tail: Tail, probe: Callable[[], Session], hold: Hold, late_commit_seconds: float
) -> None:
    """Return when what was sent is in the ledger, or is certain not to have landed.

    Presence decides at once; absence only after `late_commit_seconds` of quiet.
    Every look is on a connection that has not seen the folder.

    Raises:
        PlanOutdated, SideFailed, Stopped
    """
    pause = late_commit_seconds / 100
    while True:
        asked = time.monotonic()
        session = probe()
        try:
            found = tail.read(session)
        finally:
            session.reset()
        if found:
            doubt.quiet_since = time.monotonic()
        sent = doubt.sent if doubt.plan_id == ledger.plan.plan_id else ledger.remaining()
        if all(ledger.is_settled(ref) for ref in sent):
            return
        if not found and asked >= doubt.quiet_since + late_commit_seconds:
            return
        hold.wait(min(pause, doubt.quiet_since + late_commit_seconds - time.monotonic()))
        pause = min(pause * 2, late_commit_seconds / 10)
