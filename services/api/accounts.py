"""Can this account be used? Logs in, counts, changes nothing, and says in plain words what to do."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from libs.contracts.accounts import Account
from libs.contracts.reasons import WHAT_TO_DO, Reason
from libs.mailbox.errors import MailboxError
from libs.mailbox.port import Folder, Session
from services.api.deps import ClientAddress, Dependencies, Deps

ANSWER_SECONDS = 15.0  # the whole check
COUNT_SECONDS = 10.0  # after that no further folder is counted
MAX_COUNTED = 1000  # folders

router = APIRouter(prefix="/api/accounts", tags=["accounts"])
_threads = ThreadPoolExecutor(16, thread_name_prefix="check")  # own ones: a slow mail server must not hold up the api


class AccountToCheck(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Account


class CheckedFolder(BaseModel):
    name: str
    special_use: str | None
    items: int | None  # null: not counted
    above: list[str] = []  # what it lies in, the outermost first; also what can't hold mail itself


class CheckedAccount(BaseModel):
    ok: bool
    capabilities: list[str]
    folders: list[CheckedFolder]
    message: str
    reason: Reason | None = None


@router.post("/check")
async def check_account(form: AccountToCheck, client: ClientAddress, deps: Dependencies) -> CheckedAccount:
    """Log in and list the folders. `ok: false` comes with what to do in `message`."""
    deps.checks.take(client)
    check = _Check(deps, form.account)
    checking = asyncio.get_running_loop().run_in_executor(_threads, check.run)
    try:
        return await asyncio.wait_for(checking, ANSWER_SECONDS)
    except TimeoutError:
        check.give_up()
        return _unusable(Reason.TIMED_OUT)


class _Check:
    def __init__(self, deps: Deps, account: Account) -> None:
        self._connect = deps.connect
        self._account = account
        self._until = time.monotonic() + COUNT_SECONDS
        self._session: Session | None = None
        self._given_up = False

    def run(self) -> CheckedAccount:
        if self._given_up:
            return _unusable(Reason.TIMED_OUT)
        try:
            session = self._session = self._connect(self._account)
            try:
                return self._look(session)
            finally:
                session.close()
        except MailboxError as error:
            return _unusable(error.reason)

    def give_up(self) -> None:
        """From another thread: whatever it waits for, it need not wait any longer."""
        self._given_up = True
        if self._session is not None:
            self._session.reset()

    def _look(self, session: Session) -> CheckedAccount:
        folders = [self._count(session, folder, n) for n, folder in enumerate(session.folders()) if folder.selectable]
        items = sum(folder.items or 0 for folder in folders)
        more = " or more" if any(folder.items is None for folder in folders) else ""
        return CheckedAccount(
            ok=True,
            capabilities=sorted(session.capabilities),
            folders=folders,
            message=f"Mailtide can log in: {len(folders)} folders, {items}{more} messages.",
        )

    def _count(self, session: Session, folder: Folder, number: int) -> CheckedFolder:
        items: int | None = None
        if number < MAX_COUNTED and time.monotonic() < self._until:
            try:
                items = session.status(folder.wire).messages
            except MailboxError as error:
                if error.reason in (Reason.CONNECTION_LOST, Reason.TIMED_OUT, Reason.PROTOCOL):
                    raise
        return CheckedFolder(name=folder.name, special_use=folder.special_use, items=items, above=_above(folder))


def _above(folder: Folder) -> list[str]:
    if folder.delimiter is None:
        return []
    names = accumulate(folder.name.split(folder.delimiter), lambda above, name: f"{above}{folder.delimiter}{name}")
    return [name for name in list(names)[:-1] if name]


def _unusable(reason: Reason) -> CheckedAccount:
    return CheckedAccount(ok=False, capabilities=[], folders=[], message=WHAT_TO_DO[reason], reason=reason)
