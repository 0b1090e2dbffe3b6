"""Random schedules of faults on a real server: nothing is lost, doubled or touched, and the counters add up.

Times are a twentieth of those in production; some schedules run with the whole ones beside them. More of them:
`make faults N=1000`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import structlog
from structlog.testing import capture_logs

from tests.integration.fault_schedules import Ran, run_many
from tests.integration.fault_world import FULL
from tests.servers.dovecot import Dovecot

SCALED, WHOLE = 300, 10
FIRST = int(os.environ.get("FAULTS_FIRST", "1"))  # the first seed
# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(scope="module")
def server(dovecot_installed: None) -> Iterator[Dovecot]:
    with Dovecot(special=False, ssl="no") as dovecot:
        yield dovecot


@pytest.fixture(scope="module")
def whole(server: Dovecot) -> Iterator[Future[list[Ran]]]:
    """They wait nearly all the time, so they run beside the others."""
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(run_many, range(FIRST, FIRST + WHOLE), server, times=FULL, at_once=WHOLE)


@pytest.mark.timeout(600)
def test_whatever_fails_every_message_arrives_exactly_once_and_is_counted(
    server: Dovecot, whole: Future[list[Ran]]
) -> None:
    with capture_logs() as logs:
        ran = run_many(range(FIRST + WHOLE, FIRST + WHOLE + SCALED), server)
    structlog.reset_defaults()

    check(ran)
    assert [line for line in logs if line["log_level"] == "error"] == []


@pytest.mark.timeout(600)
def test_so_it_is_with_the_times_of_production(whole: Future[list[Ran]]) -> None:
    check(whole.result())


def check(ran: list[Ran]) -> None:
    wrong = [one for one in ran if one.result.wrong and not one.void]
    assert not wrong, "\n".join(map(str, wrong))
    assert sum(one.void for one in ran) <= len(ran) / 50, "the machine is too busy to tell"
    assert sum(one.result.happened for one in ran) > len(ran), "too little went wrong to prove anything"
