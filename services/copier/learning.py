"""What is found out about a destination folder while mail is copied into it: kept, and told (COPYING 15, 17, 18)."""

from datetime import UTC, datetime

from libs.contracts.ids import AccountDigest
from libs.contracts.notices import DatesLost, GoneAtOnce, MessagesRewritten, Notice, SizesWrong, SourceFolderGone
from libs.contracts.survives import weakest
from libs.readmodel.port import Store
from libs.readmodel.rows import BehaviourRow, NoticeRow, PlanRow
from services.copier.behaviour import Behaviour, Seen


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
            self._notice("dates", DatesLost())
        if seen.survives == "headers" and seen.exact:
            self._notice("sizes", SizesWrong())
        elif seen.survives is not None and seen.survives != "bytes":
            self._notice("rewrites", MessagesRewritten(survives=seen.survives))
        if seen.gone:
            self._notice("filters", GoneAtOnce(folder=self._names()[1], messages=seen.gone, of=of))

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
        self._notice(f"gone {index}", SourceFolderGone(folder=name))

    def _notice(self, kind: str, notice: Notice) -> None:
        row = NoticeRow.of(self._plan.job_id, self._plan.folder_id, kind, notice)
        self._store.write([row], now=datetime.now(UTC))

    def _names(self) -> tuple[tuple[str, ...], str]:
        folder = self._store.folder(self._plan.job_id, self._plan.folder_id)
        return (folder.source_names, folder.destination_name) if folder else ((), "")
