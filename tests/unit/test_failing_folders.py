"""Folders that a server can't open because of an error of its own: a few tries, then they fail alone."""

import pytest

from libs.contracts.reasons import Reason
from libs.readmodel.rows import ClaimRow
from tests.mail.trouble import Do, Lost, LostAfterCrlf
from tests.unit.world import LATE_SECONDS, WORLD, bodies, equal, reconciled


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_folder_that_can_not_be_opened_fails_alone_with_the_servers_words(make: WORLD, side: str) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.source.put("Broken", *bodies(2, "broken"))
    world.destination.add_folder("Broken")
    world.models[f"{side}.example"].failing["Broken"] = float("inf")

    job = world.run()

    assert world.destination.bodies("INBOX") == bodies(3)
    failed = world.failures()
    assert {(row.reason, row.server_text) for row in failed} == {
        (Reason.FOLDER_FAILING, "NO [SERVERBUG] internal error")
    }
    assert [row.uid for row in failed] == ([0] if side == "source" else [1, 2])
    assert set(world.destination.folders) == {"INBOX", "Broken"}  # no other name: it may be well tomorrow
    assert world.scan_failures(job) == []
    reconciled(world)


def test_source_folders_that_share_a_destination_folder_fail_one_by_one(make: WORLD) -> None:
    world = make()
    world.source.put("Post", *bodies(3))
    world.source.put("post", *bodies(2, "broken"))
    world.source.failing["post"] = float("inf")

    world.run()

    assert world.destination.bodies("Post") == bodies(3)
    assert [(row.reason, row.source, row.uid) for row in world.failures()] == [(Reason.FOLDER_FAILING, 1, 0)]


@pytest.mark.parametrize("verify", ["standard", "deep"])
@pytest.mark.parametrize("broken", ["Post", "post"])
def test_of_source_folders_that_share_a_destination_folder_one_may_fail_half_way(
    make: WORLD, broken: str, verify: str
) -> None:
    world = make(multiappend=False)
    for name in ("Post", "post"):
        world.source.put(name, *bodies(4, name))
    world.source.at("fetch", 1, Do(lambda: world.source.failing.update({broken: float("inf")})))
    world.source.at("fetch", 1, Lost())

    job = world.run(seconds=60, verify=verify)

    assert world.destination.bodies("Post") == bodies(4, "post" if broken == "Post" else "Post")
    assert [(row.reason, row.uid) for row in world.failures()] == [(Reason.FOLDER_FAILING, uid) for uid in range(1, 5)]
    assert sum(audit.verified for audit in world.audits(job).values()) == 4
    reconciled(world)


def test_a_source_folder_that_fails_while_an_append_is_in_doubt_is_not_read_and_nothing_is_sent_again(
    make: WORLD,
) -> None:
    world = make(multiappend=False)
    for name in ("Post", "post"):
        world.source.put(name, *bodies(3, name))
    world.destination.at("append", 2, LostAfterCrlf(LATE_SECONDS * 0.5))
    world.destination.at("append", 2, Do(lambda: world.source.failing.update({"Post": float("inf")})))

    world.run(seconds=60)

    assert world.destination.bodies("Post") == bodies(2, "Post")
    assert {row.reason for row in world.failures()} == {Reason.FOLDER_FAILING}
    assert any(row.open for row in world.store.rows(ClaimRow))
    reconciled(world)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_an_error_that_passes_fails_nothing_and_changes_no_name(make: WORLD, side: str) -> None:
    world = make()
    world.source.put("Shaky", *bodies(3))
    world.destination.add_folder("Shaky")
    world.models[f"{side}.example"].failing["Shaky"] = 3

    world.run()

    equal(world)
    assert world.failures() == []
    assert set(world.destination.folders) == {"INBOX", "Shaky"}
    reconciled(world)


def test_a_folder_that_fails_when_its_state_is_asked_is_listed_as_if_it_were_unknown(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    world.end(world.run(job_id="first"))
    world.destination.failing["Sent"] = 1

    second = world.run(job_id="second")

    assert (world.counts(second).completed, world.counts(second).skipped) == (0, 3)
    equal(world)
