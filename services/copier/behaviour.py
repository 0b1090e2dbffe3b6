"""How a destination folder treats what is appended to it, as a sample of the first delivered messages shows.

COPYING rules 15 and 17: some servers change mail as they store it, some have filters that move it at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from libs.contracts.survives import Survives, weakest
from libs.mailbox.digests import recognising
from libs.mailbox.port import AnyMessage, Listed, Message, Session
from libs.mailbox.recognise import survived
from libs.mailbox.sides import at
from libs.readmodel.rows import BehaviourRow

SAMPLES = 3
_DATE = "%d-%b-%Y %H:%M:%S %z"


@dataclass(slots=True)
class Behaviour:
    """What is known of one folder. `survives` is that of the whole account; None: not known yet."""

    survives: Survives | None = None
    filters: bool = False

    @classmethod
    def of(cls, rows: Sequence[BehaviourRow], folder_digest: str) -> "Behaviour":
        return cls(
            survives=weakest(row.survives for row in rows),
            filters=any(row.filters for row in rows if row.folder_digest == folder_digest),
        )

    @property
    def distrusted(self) -> bool:
        """What is in doubt here can't be decided by looking."""
        return self.filters or self.survives == "none"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at delivered messages showed."""

    survives: Survives | None  # None: it could not be told
    exact: bool = True  # the bytes are the same, whatever the listing says
    dates: bool = True  # INTERNALDATE is the same moment
    gone: int = 0


def look(
    destination: Session, listed: Sequence[Listed], sent: Sequence[AnyMessage], uids: Sequence[int | None]
) -> Seen:
    """Compare a few of what was sent with what lies under its UIDs; the folder is open, `listed` is what is in it."""
    there = {one.uid: one for one in listed}
    pairs = [
        (message, there[uid])
        for message, uid in zip(sent, uids, strict=True)
        if uid in there and isinstance(message, Message)
    ]
    gone = sum(uid is not None and uid not in there for uid in uids)
    chosen = _choose(pairs)
    with at("destination"):
        wanted = ",".join(str(one.uid) for _, one in chosen)
        bodies = {got.uid: got.body for got in destination.fetch(wanted)} if chosen else {}
    found: list[tuple[Message, Survives]] = []
    exact = dates = True
    for message, one in chosen:
        if one.uid in bodies:
            found.append((message, survived(message.body, bodies[one.uid], one.size)))
            exact = exact and recognising((bodies[one.uid],)) == recognising((message.body,))
            dates = dates and _same_moment(message.internaldate, one.internaldate)
    return Seen(survives=weakest(level for _, level in found), exact=exact, dates=dates, gone=gone)


def _choose(pairs: Sequence[tuple[Message, Listed]]) -> list[tuple[Message, Listed]]:
    """The smallest ones, and of them rather such as have a Message-ID: another one says nothing of it."""
    identified = [pair for pair in pairs if b"\nmessage-id:" in pair[0].body[:65536].lower()]
    return sorted(identified or pairs, key=lambda pair: len(pair[0].body))[:SAMPLES]


def _same_moment(sent: str, stored: str) -> bool:
    try:
        moments = {datetime.strptime(date.strip(), _DATE).astimezone(UTC) for date in (sent, stored)}
    except ValueError:
        return True  # no date was sent, or it can't be read
    return len(moments) == 1
