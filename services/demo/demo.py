"""The whole story in one terminal: two accounts, one job, what it shows, and whether it is true."""

import os
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack
from ipaddress import ip_network
from typing import NoReturn

from rich.console import Console

from libs.contracts.accounts import Account
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import MailboxError
from services.demo import sample
from services.demo.accounts import DESTINATION, SOURCE, DemoFailed, account
from services.demo.instance import failed_messages, mailtide, request_job
from services.demo.verdict import Kept, compare, contents, to_be_refused
from services.watch import WatchFailed, watch


def main() -> int:
    """The exit status: 0 when the verdict is right."""
    console = Console()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with ExitStack() as parts:
            return _run(console, parts)
    except (DemoFailed, WatchFailed, MailboxError) as error:
        console.print(f"The demo can't go on: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(console: Console, parts: ExitStack) -> int:
    count = sum(sample.FOLDERS.values())
    console.print(f"Filling {SOURCE} with {count} messages in {len(sample.FOLDERS)} folders …", highlight=False)
    source = parts.enter_context(account(SOURCE, filled=True))
    destination = parts.enter_context(account(DESTINATION, filled=False))
    console.print("Starting Mailtide …")
    url, process = parts.enter_context(mailtide([source, destination]))
    key = request_job(url, source, destination)
    console.print(f"Moving it to {DESTINATION}.\n", highlight=False)
    watch(f"{url}/jobs/{key}", console)
    verdict = compare(_read(source), _read(destination), to_be_refused(), listed=failed_messages(url, key))
    style = "green" if verdict.right else "red"
    console.print(f"\nVerdict: {verdict.text}", style=style, highlight=False, soft_wrap=True)
    console.print(f"Page:    {url}/jobs/{key}", highlight=False, soft_wrap=True)
    if os.environ.get("DEMO_EXIT") != "1":
        _serve(console, process)
    return 0 if verdict.right else 1


def _read(account: Account) -> Counter[Kept]:
    policy = ConnectPolicy(allow_networks=(ip_network(account.host),), allow_ports=(account.port,), allow_plain=True)
    session = connect(account, policy)
    try:
        return contents(session)
    finally:
        session.close()


def _serve(console: Console, process: subprocess.Popen[bytes]) -> None:
    console.print("Serving until Ctrl-C.")
    try:
        process.wait()
    except KeyboardInterrupt:
        return
    raise DemoFailed("Mailtide ended by itself")


def _interrupted(_number: int, _frame: object) -> NoReturn:
    """SIGTERM ends the demo as Ctrl-C does: everything it started is stopped first."""
    raise KeyboardInterrupt
