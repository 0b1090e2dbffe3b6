"""What is found out about a destination folder while mail is copied into it: kept, and told (COPYING 15, 17, 18)."""

from datetime import UTC, datetime

from libs.contracts.ids import AccountDigest
from libs.contracts.survives import weakest
from libs.readmodel.port import Store
from libs.readmodel.rows import BehaviourRow, NoticeRow, PlanRow
from services.copier.behaviour import Behaviour, Seen

REWRITES = {
    "size": "The destination changes messages as it stores them, but not their main headers and size. "
    "They are recognised and verified by these.",
    "headers": "The destination changes messages as it stores them, but not their main headers. "
    "They are recognised and verified by these.",
    "message_id": "The destination changes messages as it stores them, but not their Message-ID. "
    "They are recognised and verified by it alone.",
    "none": "The destination changes messages beyond recognition, even their Message-ID. They can't be verified; "
    "what is in doubt is listed as unconfirmed and not sent again.",
}
SIZES = "The destination tells wrong sizes. Messages are recognised by their headers."
DATES = "The destination does not keep the dates of messages."


class Learning:
    """Every method may raise ReadModelUnavailable."""

    def __init__(
        self,
        store: Store,
        account: AccountDigest,
        folder_digest: str,
        plan: PlanRow,
        known: dict[str, BehaviourRow],
    ) -> None:
        """`known`: of the account's folders, by their digests; what is learned is added."""
        self._store = store
        self._account = account
        self._folder_digest = folder_digest
        self._plan = plan
        self._known = known
        self.behaviour = Behaviour.of(list(known.values()), folder_digest)

    def saw(self, seen: Seen, of: int) -> None:
        """A look at the first `of` delivered messages."""
        behaviour = self.behaviour
        behaviour.survives = weakest(one for one in (behaviour.survives, seen.survives) if one is not None)
        behaviour.filters = behaviour.filters or seen.gone > 0
        self.keep()
        if not seen.dates:
            self._notice("dates", DATES)
        if seen.survives == "headers" and seen.exact:
            self._notice("sizes", SIZES)
        elif seen.survives in REWRITES:
            self._notice("rewrites", REWRITES[seen.survives])
        if seen.gone:
            gone = f"{seen.gone} of the first {of} messages delivered to “{self._names()[1]}” were gone at once."
            self._notice("filters", f"{gone} Is there a filter or a rule at the destination?")

    def keep(self) -> None:
        """For the next job of this account, and for the rest of this one."""
        behaviour = self.behaviour
        if behaviour.survives is None and not behaviour.filters:
            return
        row = BehaviourRow(
            account_digest=self._account,
            folder_digest=self._folder_digest,
            survives=behaviour.survives or "bytes",
            filters=behaviour.filters,
        )
        if Behaviour.of(list(self._known.values()), self._folder_digest) != behaviour:
            self._store.write([row], now=datetime.now(UTC))
            self._known[self._folder_digest] = row

    def source_gone(self, index: int) -> None:
        names = self._names()[0]
        name = names[index] if index < len(names) else ""
        gone = f"The source folder “{name}” was renamed or deleted meanwhile; what was left of it is skipped."
        self._notice(f"gone {index}", f"{gone} If it was renamed, run the migration once more.")

    def _notice(self, kind: str, text: str) -> None:
        row = NoticeRow(job_id=self._plan.job_id, folder_id=self._plan.folder_id, kind=kind, text=text)
        self._store.write([row], now=datetime.now(UTC))

    def _names(self) -> tuple[tuple[str, ...], str]:
        folder = self._store.folder(self._plan.job_id, self._plan.folder_id)
        return (folder.source_names, folder.destination_name) if folder else ((), "")
