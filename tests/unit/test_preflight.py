"""What is said before the first append of what the destination will not take."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from libs.contracts import topics
from libs.contracts.commands import CopyFolder
from libs.contracts.events import WorkItemFinished
from libs.contracts.notices import DryRunBlind, KeywordsLost, NamesChanged, Renamed
from libs.contracts.reasons import Reason
from libs.mailbox.errors import WritingForbidden
from libs.mailbox.port import Folder, Message, Namespace, Quota, Selected
from libs.readmodel.rows import ClaimRow, NoticeRow, PlanRow, WarningRow
from services.scanner.naming import Side, map_folders
from services.scanner.preflight import Room, keywords_lost, names_changed, too_little_room
from tests.mail.model import MailboxModel, mail
from tests.mail.trouble import Do
from tests.unit.world import World

WORLD = Callable[..., World]


@pytest.fixture
def make() -> Iterator[WORLD]:
    made: list[World] = []

    def world(**destination: object) -> World:
        made.append(World(destination=MailboxModel(**destination)))  # type: ignore[arg-type]
        return made[-1]

    yield world
    for one in made:
        one.close()


def said(world: World) -> list[str]:
    """What the job view shows as warnings."""
    rows = [*world.store.rows(WarningRow), *world.store.rows(NoticeRow)]
    return [row.text for row in rows if row.text and row.notice != DryRunBlind()]


# ---- the size of a message


@pytest.mark.parametrize("mode", ["full", "dry_run"])
def test_messages_above_the_append_limit_are_listed_and_neither_fetched_nor_sent(make: WORLD, mode: str) -> None:
    world = make()
    world.destination.append_limit = 1_000
    world.source.put("INBOX", mail("a"), mail("large", size=1_000), mail("b"), mail("larger", size=5_000))
    job = world.run(mode=mode)

    assert [(row.uid, row.reason) for row in world.failures()] == [
        (2, Reason.MESSAGE_TOO_LARGE),
        (4, Reason.MESSAGE_TOO_LARGE),
    ]
    assert world.source.fetched == (set() if mode == "dry_run" else {1, 3})
    assert world.destination.bodies("INBOX") == ([] if mode == "dry_run" else [mail("a"), mail("b")])
    assert (world.counts(job).failed, world.counts(job).total) == (2, 4)
    assert said(world) == [
        "2 messages of “INBOX” can’t be copied: the destination takes no message larger than 1.0 kB."
    ]


# ---- room


@pytest.mark.parametrize("mode", ["full", "dry_run"])
def test_a_quota_that_is_smaller_than_what_will_be_copied_is_said(make: WORLD, mode: str) -> None:
    world = make()
    world.destination.quota = Quota(bytes_free=3_000_000)
    world.source.put("INBOX", mail("a", size=2_000_000))
    world.source.put("Sent", mail("b", size=2_000_000), mail("b", size=1_000_000))
    world.destination.put("Sent", mail("b", size=1_000_000))  # there already: needs no room

    world.run(mode=mode)

    assert said(world) == [
        (
            "The destination has 3.0 MB left, and 4.0 MB are to be copied. Free space or enlarge it, or it will be "
            "full before everything has arrived."
        )
    ]


@pytest.mark.parametrize(
    ("used", "there", "options", "warned"),
    [
        (5_000_000, Quota(bytes_free=1_000_000, bytes_used=2_000_000), {}, True),
        (5_000_000, Quota(bytes_free=1_000_000, bytes_used=4_000_000), {}, False),  # it may be there already
        (5_000_000, Quota(bytes_free=1_000_000, bytes_used=2_000_000), {"since": "2024-01-01"}, False),
        (5_000_000, Quota(), {}, False),
        (None, Quota(bytes_free=1, bytes_used=1), {}, False),
    ],
)
def test_a_quota_that_is_smaller_than_what_the_source_uses_is_said_before_anything_is_planned(
    make: WORLD, used: int | None, there: Quota, options: dict[str, object], warned: bool
) -> None:
    world = make()
    world.source.quota, world.destination.quota = Quota(bytes_free=9, bytes_used=used), there
    world.source.put("INBOX", mail("a"))

    world.run(**options)

    expected = (
        "The source says that it uses 5.0 MB, and the destination takes 3.0 MB in all. "
        "Enlarge it or leave out folders, or it may be full before everything has arrived."
    )
    before = list(itertools.takewhile(lambda row: not isinstance(row, PlanRow), world.store.writes))
    assert [row.text for row in before if isinstance(row, WarningRow)] == ([expected] if warned else [])


@pytest.mark.parametrize("tells", [True, False])
def test_where_the_source_has_no_quota_its_folders_are_asked_for_their_sizes_before_anything_is_planned(
    make: WORLD, tells: bool
) -> None:
    world = make()
    world.source.tells_sizes = tells
    world.destination.quota = Quota(bytes_free=3_000_000, bytes_used=0)
    world.source.put("INBOX", mail("a", size=2_000_000))
    world.source.put("Sent", mail("b", size=2_000_000))

    world.run()

    before = list(itertools.takewhile(lambda row: not isinstance(row, PlanRow), world.store.writes))
    assert [row.text[:40] for row in before if isinstance(row, WarningRow)] == (
        ["The source says that it uses 4.0 MB, and"] if tells else []
    )
    assert any("4.0 MB are to be copied" in sentence for sentence in said(world))  # in either case, after the plans


def test_where_the_destination_has_no_quota_no_folder_is_asked_for_its_size(make: WORLD) -> None:
    world = make()
    world.source.tells_sizes = True
    world.source.put("INBOX", mail("a"))
    world.source.put("Sent", mail("b"))

    world.run()

    assert world.source.operations["status"] == 1  # whether both accounts are one


@pytest.mark.parametrize(
    ("free", "messages", "beginning"),
    [
        ((None, None), 10, ""),
        ((1_000, 10), 10, ""),
        ((999, None), 1, "The destination has 1.0 kB left, and 1.0 kB"),
        ((None, 9), 10, "The destination takes 9 messages more, and 10"),
    ],
)
def test_room_is_compared_in_bytes_and_messages(
    free: tuple[int | None, int | None], messages: int, beginning: str
) -> None:
    room = Room(bytes_free=free[0], messages_free=free[1], bytes_planned=1_000, messages_planned=messages)

    notice = too_little_room(room)

    text = notice.text if notice else ""
    assert text.startswith(beginning)
    assert bool(text) == bool(beginning)


# ---- keywords


def selected(*, permanent: tuple[str, ...] = ()) -> Selected:
    return Selected(uidvalidity=1, uidnext=1, exists=0, permanent_flags=frozenset(permanent))


def test_keywords_that_the_destination_will_not_keep_are_said() -> None:
    keywords = ("$Forwarded", "NonJunk", "$MDNSent", "NonJunk")

    notice = keywords_lost("Sent", keywords, selected(permanent=("\\Seen", "$forwarded")))

    assert notice == KeywordsLost(folder="Sent", keywords=("$MDNSent", "NonJunk"), more=0)
    assert notice
    assert notice.text == "The destination keeps no new keywords in “Sent”. Not kept: $MDNSent, NonJunk."


@pytest.mark.parametrize("destination", [None, selected(), selected(permanent=("\\Seen", "\\*"))])
def test_where_the_destination_keeps_keywords_or_does_not_tell_nothing_is_said(destination: Selected | None) -> None:
    assert keywords_lost("Sent", ["$Forwarded"], destination) is None


# ---- folder names


def test_names_the_destination_can_not_hold_are_said_with_what_becomes_of_them() -> None:
    source = Side(
        folders=[Folder(wire=name, name=name, delimiter="/") for name in ("INBOX", "a.b", "a.b/c", "plain")],
        namespace=Namespace(prefix="", delimiter="/"),
    )
    destination = Side(folders=[], namespace=Namespace(prefix="INBOX.", delimiter="."))
    mappings = map_folders(source, destination, folder_map={})

    notice = names_changed(mappings, source, destination)
    assert notice == NamesChanged(
        renamed=(Renamed(source="a.b", destination="INBOX.a_b"), Renamed(source="a.b/c", destination="INBOX.a_b.c")),
        more=0,
    )
    assert notice
    assert notice.text == (
        "Some folder names can’t be held by the destination as they are. They arrive changed: "
        "“a.b” as “INBOX.a_b”, “a.b/c” as “INBOX.a_b.c”."
    )
    assert names_changed(mappings, source, source) is None


def test_an_uncreatable_folder_is_said_even_when_it_holds_no_mail(make: WORLD) -> None:
    world = make()
    world.source.add_folder("empty")
    world.source.put("full", mail("a"), mail("b"))
    world.destination.uncreatable = {"empty", "full"}

    world.run()

    assert said(world) == [
        "The destination would not make the folder “empty”. There is no mail in it. It said: NO not here",
        "The destination would not make the folder “full”. 2 messages can’t be copied. It said: NO not here",
    ]


def test_a_folder_that_could_be_made_after_all_is_no_longer_warned_of(make: WORLD) -> None:
    world = make()
    world.source.put("late", mail("a"))
    world.destination.uncreatable = {"late"}
    world.destination.at("create", 2, Do(world.destination.uncreatable.clear))  # by the copier, which tries again

    world.run()

    assert world.store.rows(NoticeRow)
    assert said(world) == []
    assert world.destination.bodies("late") == [mail("a")]


# ---- the dry run


def test_a_dry_run_says_exactly_what_is_said_of_all_kinds_before_the_first_append(make: WORLD) -> None:
    told: dict[str, list[str]] = {}
    for mode in ("full", "dry_run"):
        world = make(delimiter=".")
        world.destination.append_limit, world.destination.quota = 2_000, Quota(bytes_free=1_000)
        world.destination.permanent_flags = frozenset({"\\Seen"})
        world.source.keywords = frozenset({"$Forwarded"})
        world.source.put("INBOX", mail("a"), mail("large", size=5_000), flags=["$Forwarded"])
        world.source.put("one.name", mail("b", size=1_000))
        world.source.put("Invoices", mail("c"))
        world.source.put("invoices", mail("d"))

        world.run(mode=mode)

        told[mode] = sorted(said(world))
        assert bool(world.destination.operations["append"]) == (mode == "full")

    assert told["full"] == told["dry_run"]
    kinds = ("can’t be copied", "source folders go into one", "arrive changed", " left, and ", "no new keywords")
    assert [kind in text for kind, text in zip(kinds, told["dry_run"], strict=True)] == [True] * 5, told


def test_a_dry_run_says_what_would_be_copied_and_writes_nothing(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", mail("a"), mail("b"), mail("c"))
    world.source.put("new", mail("d"))
    world.destination.put("INBOX", mail("b"))
    before = world.destination.contents()

    job = world.run(mode="dry_run")

    counts = world.counts(job)
    assert (counts.total, counts.skipped, counts.completed, counts.failed) == (4, 1, 0, 0)
    assert world.destination.contents() == before
    assert set(world.destination.folders) == {"INBOX"}
    assert world.destination.operations["append"] == world.destination.operations["create"] == 0
    assert world.store.rows(ClaimRow) == []
    assert [one for one in world.log.read(topics.WORK_ITEMS) if isinstance(one, CopyFolder)] == []
    finished = [one for one in world.progress(job) if isinstance(one, WorkItemFinished)]
    assert {one.completed for one in finished} == {0}
    assert [row.notice for row in world.store.rows(NoticeRow) if row.text] == [DryRunBlind()]


def test_every_session_of_a_dry_run_and_every_session_with_a_source_refuses_to_write(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", mail("a"))

    world.run(mode="dry_run")

    for session in [*world.source.sessions, *world.destination.sessions]:
        session.over = False
        with pytest.raises(WritingForbidden):
            session.create("x")
        with pytest.raises(WritingForbidden):
            session.append("INBOX", [Message(1, (), "", b"x")], lambda: None)


def test_the_source_of_a_job_that_copies_can_not_be_written_either(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", mail("a"))

    world.run()

    assert world.source.sessions
    assert {session.may_write for session in world.source.sessions} == {False}
    assert {session.may_write for session in world.destination.sessions} == {True}


def test_a_dry_run_that_is_paused_and_resumed_copies_nothing(make: WORLD) -> None:
    world = make()
    world.source.put("INBOX", mail("a"))
    job = world.run(mode="dry_run")

    world.desire(job, "pause")
    world.desire(job, "run")
    world.wait_for(lambda: len(world.done[topics.COMMANDS.name]) == 3)

    assert world.destination.bodies("INBOX") == []
    assert world.log.read(topics.WORK_ITEMS) == []
