"""COPYING rules 7 to 13 on a real server: a fault at each class of bytes, each in one job, many jobs at a time."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product

import pytest
import structlog
from structlog.testing import capture_logs

from tests.integration.fault_schedules import AT_ONCE, awkward_mail
from tests.integration.fault_world import TWENTIETH, Result, Schedule, run_schedule
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import FaultProxies
from tests.servers.faults import OF_APPEND, Act, By, Fault, Place

READ: tuple[Place, ...] = ("greeting", "login", "examine", "listing", "fetch_literal", "fetch_end")
WAYS: tuple[By, ...] = ("fin", "rst")
SERVERS = {
    "all it has": frozenset[str](),
    "no UIDPLUS": frozenset({"UIDPLUS"}),
    "no MULTIAPPEND": frozenset({"MULTIAPPEND"}),
    "neither": frozenset({"UIDPLUS", "MULTIAPPEND"}),
    "no LITERAL+": frozenset({"LITERAL+", "MULTIAPPEND"}),
}
SILENCE: dict[Act, float] = {"stall": TWENTIETH.patience * 1.1, "delay": TWENTIETH.late * 0.5}  # seconds
LATE = (0.1 / 35, 0.5, 30 / 35)  # of the time a server has for a commit
# A killed process's threads end by an exception.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def cases() -> Iterator[tuple[str, Schedule]]:
    for at, by in product(("greeting", "login", "list"), WAYS):
        twice = (Fault(at, by=by), Fault(at, by=by, nth=2))
        yield f"source twice at first contact {at} {by}", schedule(source=twice, from_the_start=True)
        yield f"destination at first contact {at} {by}", schedule("neither", *twice[:1], from_the_start=True)
    for at, by in product(READ, WAYS):
        yield f"source {at} {by}", schedule(source=(Fault(at, by=by),))
    for at, (act, seconds) in product(READ, SILENCE.items()):
        silent = Fault(at, act, seconds=seconds)
        yield f"source {at} {act}", schedule(source=(silent,))
        yield f"destination {at} {act}", schedule("all it has", silent)
    for at, by in product(READ, WAYS):
        yield f"source {at} {by} and kill -9", schedule(source=(Fault(at, by=by, kill=True),))
        yield f"destination {at} {by} and kill -9", schedule("all it has", Fault(at, by=by, kill=True))
    yield "destination status and kill -9", schedule("neither", Fault("status", kill=True))
    for at in ("greeting", "login", "list"):
        killed = Fault(at, kill=True)
        yield f"source at first contact {at} and kill -9", schedule(source=(killed,), from_the_start=True)
        yield f"destination at first contact {at} and kill -9", schedule("neither", killed, from_the_start=True)
    for at, times in product(("fetch_literal", "fetch_end"), (2, 3, 5)):
        faults = tuple(Fault(at, nth=nth) for nth in range(1, times + 1))
        yield f"source {at} {times} times in a row", schedule(source=faults)
        yield f"destination {at} {times} times in a row", schedule("all it has", *faults)
    for at, by, server in product(("status", *READ), WAYS, ("all it has", "neither")):
        if at == "status" and server == "all it has":
            continue  # UIDPLUS says all that STATUS could
        yield f"destination {at} {by}, {server}", schedule(server, Fault(at, by=by))
    for at, server, (by, nth) in product(OF_APPEND, SERVERS, (("fin", 1), ("rst", 1), ("rst", 2))):
        yield f"{at} {nth} {by}, {server}", schedule(server, Fault(at, by=by, nth=nth))
    for at, server in product(OF_APPEND, SERVERS):
        yield f"{at} and kill -9, {server}", schedule(server, Fault(at, kill=True))
        yield f"{at} fin and kill -9, {server}", schedule(server, Fault(at, by="fin", kill=True))
        yield f"{at} stalls, {server}", schedule(server, Fault(at, "stall", seconds=SILENCE["stall"]))
        yield f"{at} is delayed, {server}", schedule(server, Fault(at, "delay", seconds=SILENCE["delay"]))
    for share, by, server, kill in product(LATE, WAYS, SERVERS, (False, True)):
        late = Fault("append_crlf", "late", by, seconds=share * TWENTIETH.late, kill=kill)
        yield f"late by {share:.3f} {by}{' and kill -9' * kill}, {server}", schedule(server, late)
    for server in SERVERS:
        faults = tuple(Fault(at, nth=nth) for nth, at in enumerate(OF_APPEND, 1))
        yield f"every append another fault, {server}", schedule(server, *faults)
        again = (Fault("append_crlf", "late", nth=nth, seconds=0.7 * TWENTIETH.late, kill=True) for nth in (1, 2))
        yield f"late, and once more after the restart, {server}", schedule(server, *again)


def schedule(
    server: str = "all it has", *destination: Fault, source: tuple[Fault, ...] = (), from_the_start: bool = False
) -> Schedule:
    mails = tuple(awkward_mail())
    return Schedule(
        source_mail=mails,
        destination_mail=mails[:2],
        source=source,
        destination=destination,
        hidden=SERVERS[server],
        from_the_start=from_the_start,
    )


CASES = dict(cases())


@pytest.fixture(scope="module")
def results(dovecot_installed: None) -> Iterator[dict[str, Future[Result]]]:
    """All jobs, begun at once; nothing of ours broke in any of them."""
    with (
        capture_logs() as logs,
        Dovecot(special=False, ssl="no") as dovecot,
        FaultProxies() as proxies,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        yield {
            name: pool.submit(run_schedule, case, dovecot, proxies, f"case{number}")
            for number, (name, case) in enumerate(CASES.items())
        }
    structlog.reset_defaults()
    assert [line for line in logs if line["log_level"] == "error"] == []


@pytest.mark.parametrize("name", CASES)
def test_one_fault_loses_nothing_and_doubles_nothing(name: str, results: dict[str, Future[Result]]) -> None:
    result = results[name].result()

    assert result.wrong == [], f"{name}: {CASES[name]}"
    planned = len(CASES[name].source) + len(CASES[name].destination)
    # With MULTIAPPEND all has arrived after a few appends.
    least = 4 if name.startswith("every append") and "MULTIAPPEND" not in CASES[name].hidden else planned
    assert least <= result.happened <= planned, "not all of it happened"
