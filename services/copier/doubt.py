"""Doubt about a destination folder: an append may still land (COPYING rules 11 to 13)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from libs.contracts.ids import PlanId
from libs.contracts.reasons import Reason
from libs.mailbox.port import Session
from services.copier.batch_size import MOST_ITEMS
from services.copier.behaviour import Behaviour
from services.copier.hold import Hold
from services.copier.learning import Learning
from services.copier.ledger import Ledger, Ref
from services.copier.tail import Tail


@dataclass(slots=True)
class Doubt:
    """Belongs to one folder of one account.

    `quiet_since` is the monotonic time of the last thing that speaks for an
    append on its way: its connection's end, or our take-over from a process
    that died. Finding one of ours moves it; mail from elsewhere does not, or a
    busy folder would never settle. `sent` is what was sent and not answered of
    the plan `plan_id`; to another plan it says nothing. UIDs from `base` on
    were given after it was sent.
    """

    quiet_since: float = field(default_factory=time.monotonic)
    plan_id: PlanId | None = None  # None: what was sent is not known
    sent: Sequence[Ref] = ()
    base: int | None = None


def settle(
    doubt: Doubt,
    ledger: Ledger,
    tail: Tail,
    learning: Learning,
    probe: Callable[[], Session],
    hold: Hold,
    late_commit_seconds: float,
) -> list[Ref]:
    """Return when what was sent is in the ledger, or is certain not to have landed: the latter, if known.

    Presence decides at once; absence only after `late_commit_seconds` of quiet.
    Every look is on a connection that has not seen the folder. What may have
    landed without being recognised is noted as unconfirmed.

    Raises:
        PlanOutdated, SideFailed, Stopped
    """
    pause = late_commit_seconds / 100
    known = doubt.plan_id == ledger.plan.plan_id
    while True:
        asked = time.monotonic()
        session = probe()
        try:
            found = tail.read(session)
            left = [ref for ref in (doubt.sent if known else ledger.remaining()) if not ledger.is_settled(ref)]
            quiet = not found and asked >= doubt.quiet_since + late_commit_seconds
            if left and quiet:
                if weaker := tail.look_closer(session, left):
                    learning.behaviour.survives = weaker
                    learning.keep()
                left = [ref for ref in left if not ledger.is_settled(ref)]
                since = (doubt.base, 0) if known else (_base(ledger), len(ledger.delivered_unnamed()))
                _give_up(left, tail.not_accounted_for(session, *since), ledger, learning.behaviour)
        finally:
            session.reset()
        if not left or quiet:
            return [ref for ref in left if known and not ledger.is_settled(ref)]
        if found:
            doubt.quiet_since = time.monotonic()
        hold.wait(min(pause, doubt.quiet_since + late_commit_seconds - time.monotonic()))
        pause = min(pause * 2, late_commit_seconds / 10)


def _base(ledger: Ledger) -> int | None:
    """Above every UID that an earlier process knew to be given, if its plan says what was given before."""
    plan = ledger.plan
    if not plan.destination_uidnext:
        return None
    return max(plan.destination_uidnext, plan.boundary, max(ledger.delivered_uids(), default=0) + 1)


def _give_up(left: Sequence[Ref], landed: int, ledger: Ledger, behaviour: Behaviour) -> None:
    """So many of these, in their order, may have landed; where nothing can be told, all that one append holds."""
    for ref in left[: MOST_ITEMS if behaviour.filters else landed]:
        ledger.fail(ref, Reason.UNCONFIRMED, "", 0, datetime.now(UTC))
