"""A process for the tests of the event log to kill: `append <url>` or `consume <url>`.

It prints the number of each message once it is appended, or before it is done with.
"""

import sys
import threading

from libs.contracts.commands import StartJob
from libs.contracts.ids import JobId
from libs.contracts.topics import COMMANDS
from libs.eventlog.consume import Delivery
from tests.contract.eventlog_groups import Group, opened, taker


def main() -> None:
    what, url = sys.argv[1:]
    log = opened(url)
    if what == "append":
        for number in range(1_000_000):
            log.append(COMMANDS, f"key{number % 7}", StartJob(job_id=JobId(str(number))))
            print(number, flush=True)
    with Group(taker(log, COMMANDS, _print_and_finish)):
        threading.Event().wait()


def _print_and_finish(delivery: Delivery) -> None:
    print(delivery.message.job_id, flush=True)
    delivery.done()


if __name__ == "__main__":
    main()
