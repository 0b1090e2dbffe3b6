"""The benchmark's own measures do what they say: its tools copy everything, and a copy that differs is told."""

from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.instance import new_user
from tests.bench.corpora import MAILBOXES, A
from tests.bench.measure import Cost
from tests.bench.report import Run, difference, table
from tests.bench.tools import Copiers
from tests.mail.contents import contents, folder_names
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot

SCALE = 0.005


@pytest.mark.parametrize("name", ["limit", "engine"])
def test_what_a_tool_of_the_benchmark_copies_is_equal(dovecot: Dovecot, tmp_path: Path, name: str) -> None:
    source, destination = (dovecot.account(new_user(), security="plain") for _ in range(2))
    append(source, A.scaled(SCALE).mails())
    folder_names(destination)

    cost = Copiers(tmp_path, dovecot, "A", SCALE).all[name](source, destination)

    assert difference(contents(source), contents(destination)) == "equal"
    assert cost.wall > 0


def test_a_copy_with_another_flag_and_a_lost_message_is_not_called_equal(dovecot: Dovecot) -> None:
    source, destination = (dovecot.account(new_user(), security="plain") for _ in range(2))
    first, second, *rest = A.scaled(SCALE).mails()
    append(source, [first, second, *rest])
    append(destination, [second.__class__(second.folder, second.body, (), second.internaldate), *rest])

    told = difference(contents(source), contents(destination))

    flags = 1 if second.flags else 0
    assert told == f"not equal: 1 lack or have other bytes, {flags} other flags or date, -1 messages"


def test_ratios_are_taken_within_a_round() -> None:
    runs = [
        Run(tool, number, Cost(wall=wall, cpu=1.0, peak_mb=1.0), "equal")
        for number, walls in enumerate([(1.0, 2.0), (3.0, 9.0), (4.0, 4.0)])
        for tool, wall in zip(("mailtide", "interimap"), walls, strict=True)
    ]

    assert "| 0.50 (0.33–1.00) |" in table(runs, messages=10, megabytes=1.0)


def test_a_scaled_mailbox_keeps_every_folder() -> None:
    for mailbox in MAILBOXES.values():
        folders = Counter(mail.folder for mail in mailbox.scaled(0.0001).mails())
        assert folders.keys() == mailbox.folders.keys()
