"""What copying costs stays within bounds on any machine: ratios within one run, and memory (docs/performance.md)."""

from pathlib import Path
from statistics import median

from tests.acceptance.instance import Instance, new_user
from tests.bench import scale
from tests.bench.big_folder import small_messages, write_inbox
from tests.bench.corpora import A
from tests.bench.tools import Copiers
from tests.mail.contents import folder_names
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot

FEW, MANY = 4_000, 40_000
GROWTH = 13  # times the seconds for ten times the messages; linear would be 10
MEGABYTES = 150  # above idle
SHARE_OF_A = 0.2
ROUNDS = 3
LIMIT_RATIO = 3.0  # 1.3 is the target on a quiet machine with all of A; here others work too, and folders are small


def test_cost_grows_with_the_messages_and_memory_does_not(dovecot: Dovecot, tmp_path: Path) -> None:
    seconds: dict[int, float] = {}
    with Instance(tmp_path, dovecot) as instance:
        idle = scale.memory(instance, "VmRSS")
        warm_up(instance, dovecot)
        for count in (FEW, MANY):
            source, destination = dovecot.account(new_user()), dovecot.account(new_user())
            write_inbox(dovecot, source.username, small_messages(count))

            figures = scale.run(instance, source, destination)

            seconds[count] = figures.seconds
            assert figures.peak - idle < MEGABYTES * scale.MEGABYTE

    assert seconds[MANY] < GROWTH * seconds[FEW], seconds


def test_copying_takes_no_more_than_a_few_times_what_the_servers_need(dovecot: Dovecot, tmp_path: Path) -> None:
    source = dovecot.account(new_user(), security="plain")
    append(source, A.scaled(SHARE_OF_A).mails())
    copiers = Copiers(tmp_path, dovecot, "A", SHARE_OF_A)
    ratios: list[float] = []
    for _ in range(ROUNDS):
        walls: dict[str, float] = {}
        for name in ("limit", "engine"):
            destination = dovecot.account(new_user(), security="plain")
            folder_names(destination)
            walls[name] = copiers.all[name](source, destination).wall
        ratios.append(walls["engine"] / walls["limit"])

    assert median(ratios) < LIMIT_RATIO, ratios


def warm_up(instance: Instance, dovecot: Dovecot) -> None:
    """The first questions to ClickHouse take their own time."""
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    write_inbox(dovecot, source.username, small_messages(10))
    scale.run(instance, source, destination)
