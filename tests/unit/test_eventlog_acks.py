"""The contiguous prefix: whatever the order, nothing unfinished is passed."""

import asyncio
import threading

from hypothesis import given
from hypothesis import strategies as st

from libs.eventlog.acks import Acks, Prefixes

PARTITIONS = st.integers(0, 2)


@st.composite
def takings_and_endings(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Steps of a worker: take the next item of a partition, finish any open item, settle."""
    return draw(
        st.lists(
            st.one_of(
                st.tuples(st.just("take"), PARTITIONS),
                st.tuples(st.just("finish"), st.integers(0, 10_000)),
                st.tuples(st.just("settle"), st.just(0)),
                st.tuples(st.just("forget"), st.just(0)),
            ),
            max_size=80,
        )
    )


@given(takings_and_endings())
def test_settled_is_always_the_longest_finished_prefix_of_each_partition(steps):
    prefixes = Prefixes()
    taken: dict[int, list] = {0: [], 1: [], 2: []}  # of each partition: what was taken since it was last forgotten
    settled: dict[int, int] = {0: 0, 1: 0, 2: 0}
    number = 0
    for step, argument in steps:
        if step == "take":
            number += 1
            taken[argument].append(prefixes.take(argument, (argument, number)))
        elif step == "finish":
            everything = [entry for entries in taken.values() for entry in entries]
            if everything:
                everything[argument % len(everything)].done = True
        elif step == "forget":
            prefixes.forget()
            taken, settled = {0: [], 1: [], 2: []}, {0: 0, 1: 0, 2: 0}
        else:
            for partition, item in prefixes.settle():
                entry = taken[partition][settled[partition]]
                assert entry.done
                assert entry.item == (partition, item)
                settled[partition] += 1
            for partition, entries in taken.items():
                assert all(entry.done for entry in entries[: settled[partition]])
                assert not entries[settled[partition] :] or not entries[settled[partition]].done
    assert len(prefixes) <= sum(len(entries) for entries in taken.values())


@given(st.permutations(range(12)))
def test_any_order_of_endings_settles_everything_in_the_order_it_was_taken(order):
    prefixes = Prefixes()
    taken = [prefixes.take("p", number) for number in range(12)]
    settled: list[int] = []
    for index in order:
        taken[index].done = True
        settled += prefixes.settle()
        assert all(taken[number].done for number in settled)
    assert settled == list(range(12))
    assert len(prefixes) == 0


def test_what_is_forgotten_is_never_settled():
    prefixes = Prefixes()
    lost = prefixes.take("p", "lost")
    prefixes.forget()
    lost.done = True
    prefixes.take("p", "kept").done = True

    assert prefixes.settle() == ["kept"]


def test_done_from_many_threads_acknowledges_everything_once_in_order_on_the_loop():
    async def main() -> None:
        loop, everything = asyncio.get_running_loop(), asyncio.Event()
        acknowledged: list[int] = []

        def acknowledge(item: int) -> None:
            assert asyncio.get_running_loop() is loop
            acknowledged.append(item)
            if len(acknowledged) == 3000:
                everything.set()

        acks = Acks(acknowledge, limit=10_000)
        endings = [acks.take("p", number) for number in range(3000)]
        threads = [
            threading.Thread(target=lambda start=start: [done() for done in endings[start::6]]) for start in range(6)
        ]
        for thread in threads:
            thread.start()
        async with asyncio.timeout(10):
            await everything.wait()
        assert acknowledged == list(range(3000))

    asyncio.run(main())


def test_there_is_room_again_once_something_was_acknowledged():
    async def main() -> None:
        acks = Acks(lambda _: None, limit=2)
        first, _ = acks.take("p", 1), acks.take("p", 2)
        waiting = asyncio.ensure_future(acks.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        first()
        async with asyncio.timeout(10):
            await waiting

    asyncio.run(main())


def test_done_after_the_loop_has_ended_is_harmless():
    async def main():
        return Acks(lambda _: None, limit=2).take("p", 1)

    asyncio.run(main())()
