"""Which source messages the destination holds already: counted, never doubled, never lost."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from libs.mailbox.port import Listed
from services.scanner.matching import At, Matching, Ref, Undecided, decide

DATES = ("1-Jan-2024 00:00:00 +0000", "2-Jan-2024 00:00:00 +0000")
# What a message is: its name (Message-ID, headers, size) and its bytes, which may differ under one name.
KIND = st.tuples(st.integers(0, 3), st.integers(0, 1), st.sampled_from(DATES))
Kind = tuple[int, int, str]


def listed(uid: int, kind: Kind) -> Listed:
    name, _, date = kind
    return Listed(uid, 100 + name, date, f"<{name}@example.org>" if name else None, bytes([name]))


def digest(kind: Kind) -> bytes:
    return bytes(kind[:2])


def matched(source: Sequence[At], held: Sequence[Listed]) -> tuple[Matching, list[At], list[At]]:
    """What identity says: claimed, and absent for certain."""
    matching = Matching()
    for one in held:
        matching.hold(one)
    claimed, absent = list[At](), list[At]()
    for one in source:
        (claimed if matching.claim(one.source, one.listed) else absent).append(one)
    return matching, claimed, absent


def present_and_absent(source: Sequence[Kind], held: Sequence[Kind], *, deep: bool) -> tuple[list[At], list[At]]:
    """As the planner does it."""
    mine = {uid: At(uid % 2, listed(uid, kind)) for uid, kind in enumerate(source, 1)}
    theirs = {uid: listed(uid, kind) for uid, kind in enumerate(held, 1)}
    matching, present, absent = matched(list(mine.values()), list(theirs.values()))
    for members, twins in matching.undecided(deep=deep):
        assert all(mine[uid].source == index for index, uid in members)
        more, fewer, unconfirmed = decide(
            [mine[uid] for _, uid in members],
            [theirs[uid] for uid in twins],
            {(uid % 2, uid): digest(kind) for uid, kind in enumerate(source, 1)},
            {uid: digest(kind) for uid, kind in enumerate(held, 1)},
        )
        assert unconfirmed == []
        assert sorted(one.listed.uid for one in more + fewer) == sorted(uid for _, uid in members)
        present = [one for one in present if one not in fewer]
        absent += fewer
    return present, absent


@given(st.lists(KIND, max_size=12), st.lists(KIND, max_size=12))
def test_what_is_absent_is_what_the_destination_lacks_as_a_multiset_of_bytes(
    source: list[Kind], held: list[Kind]
) -> None:
    present, absent = present_and_absent(source, held, deep=True)

    def counted(found: list[At]) -> Counter[bytes]:
        return Counter(digest(source[one.listed.uid - 1]) for one in found)

    assert counted(absent) == Counter(map(digest, source)) - Counter(map(digest, held))
    assert counted(present) == Counter(map(digest, source)) & Counter(map(digest, held))


@given(st.lists(KIND, max_size=12), st.lists(KIND, max_size=12))
def test_every_message_is_present_or_absent_once_and_no_held_one_answers_twice(
    source: list[Kind], held: list[Kind]
) -> None:
    present, absent = present_and_absent(source, held, deep=False)

    assert sorted(one.listed.uid for one in present + absent) == list(range(1, len(source) + 1))
    mine, theirs = Counter(kind[0] for kind in source), Counter(kind[0] for kind in held)
    lacking = Counter(source[one.listed.uid - 1][0] for one in absent)
    assert all(lacking[name] >= count for name, count in (mine - theirs).items())


@given(st.lists(KIND, max_size=12))
def test_after_everything_was_copied_nothing_is_absent(source: list[Kind]) -> None:
    assert present_and_absent(source, source, deep=False)[1] == []


def test_one_of_a_kind_on_each_side_is_decided_without_reading_it() -> None:
    matching, claimed, absent = matched([At(1, listed(9, (1, 0, DATES[0])))], [listed(7, (1, 1, DATES[1]))])

    assert (len(claimed), absent) == (1, [])
    assert list(matching.undecided(deep=False)) == []
    assert list(matching.undecided(deep=True)) == [Undecided([Ref(1, 9)], [7])]


def test_rule_4_among_equal_messages_the_one_with_the_same_date_is_present() -> None:
    kinds = [(1, 0, DATES[0]), (1, 0, DATES[1])]

    present, absent = present_and_absent(kinds, [kinds[1]], deep=False)

    assert [one.listed.internaldate for one in present] == [DATES[1]]
    assert [one.listed.internaldate for one in absent] == [DATES[0]]


def test_a_held_message_whose_bytes_can_not_be_read_may_be_a_copy_of_one_that_is_missing() -> None:
    first, second, third = (At(0, listed(uid, (1, 0, DATES[uid == 2]))) for uid in (1, 2, 3))
    digests = {(0, 1): b"x", (0, 2): b"y", (0, 3): b"z"}

    unread = decide([first, second, third], [listed(5, (1, 0, DATES[1]))], digests, {})
    both = decide(
        [first, second, third], [listed(5, (1, 0, DATES[1])), listed(6, (1, 0, DATES[0]))], digests, {6: b"z"}
    )

    assert unread == ([], [first, third], [second])  # the one of its date
    assert both == ([third], [first], [second])


def test_a_source_message_whose_bytes_can_not_be_read_is_absent_where_no_held_one_is_left_for_it() -> None:
    members = [At(0, listed(1, (1, 0, DATES[0]))), At(0, listed(2, (1, 0, DATES[0])))]
    held = [listed(5, (1, 0, DATES[0])), listed(6, (1, 0, DATES[0]))]

    assert decide(members, held[:1], {(0, 2): b"x"}, {5: b"x"}) == ([members[1]], [members[0]], [])
    assert decide(members, held, {(0, 2): b"x"}, {5: b"x", 6: b"y"}) == ([members[1]], [], [members[0]])


def test_of_a_size_of_which_one_is_not_identified_nothing_is_decided_without_the_bytes() -> None:
    matching = Matching(unidentified={101})
    matching.hold(listed(7, (1, 0, DATES[0])))
    matching.hold(listed(8, (2, 0, DATES[0])))

    claimed = [matching.claim(0, listed(uid, (uid, 0, DATES[0]))) for uid in (1, 2, 3)]

    assert claimed == [True, True, False]
    assert list(matching.undecided(deep=False)) == [Undecided([Ref(0, 1)], [7])]


def test_uids_and_folders_of_any_size_come_back() -> None:
    most = 2**32 - 1
    kind = (1, 0, DATES[0])

    matching, _, _ = matched(
        [At(0, listed(most, kind)), At(700, listed(1, kind))], [listed(most, kind), listed(most - 1, kind)]
    )

    assert list(matching.undecided(deep=False)) == [Undecided([Ref(0, most), Ref(700, 1)], [most, most - 1])]
