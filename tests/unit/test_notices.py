"""What is good to know about a job: kinds with values, of which each sentence is made."""

import json

import pytest

from libs.contracts import notices
from libs.contracts.notices import (
    DatesLost,
    DestinationTooSmall,
    DryRunBlind,
    FolderRefused,
    FoldersGone,
    FoldersJoined,
    GoneAtOnce,
    KeywordsLost,
    MessagesRewritten,
    MessagesTooLarge,
    NameNotTaken,
    NamesChanged,
    Notice,
    OtherNotice,
    Renamed,
    SharedLeftOut,
    SizesWrong,
    SourceFolderGone,
    TooLittleRoom,
    TooManyMessages,
)

SENTENCES: list[tuple[Notice, str]] = [
    (
        MessagesTooLarge(folder="INBOX", messages=1, limit_bytes=52_428_800),
        "1 message of “INBOX” can’t be copied: the destination takes no message larger than 52.4 MB.",
    ),
    (
        FolderRefused(folder="a", messages=2, server_text="NO not here"),
        "The destination would not make the folder “a”. 2 messages can’t be copied. It said: NO not here",
    ),
    (
        FolderRefused(folder="a", messages=0, server_text=""),
        "The destination would not make the folder “a”. There is no mail in it.",
    ),
    (
        FoldersGone(folders=("a", "b"), more=0),
        (
            "No longer at the source when its turn came, and not copied. If it was renamed, start the migration once "
            "more: “a”, “b”."
        ),
    ),
    (
        SourceFolderGone(folder="a"),
        (
            "The source folder “a” was renamed or deleted meanwhile; what was left of it is skipped. If it was "
            "renamed, run the migration once more."
        ),
    ),
    (
        KeywordsLost(folder="a", keywords=("x",), more=2),
        "The destination keeps no new keywords in “a”. Not kept: x, and 2 more.",
    ),
    (
        DestinationTooSmall(bytes_used=5_000_000, bytes_whole=999),
        (
            "The source says that it uses 5.0 MB, and the destination takes 1.0 kB in all. Enlarge it or leave out "
            "folders, or it may be full before everything has arrived."
        ),
    ),
    (
        TooLittleRoom(bytes_free=3_000_000, bytes_planned=4_000_000),
        (
            "The destination has 3.0 MB left, and 4.0 MB are to be copied. Free space or enlarge it, or it will be "
            "full before everything has arrived."
        ),
    ),
    (
        TooManyMessages(messages_free=9, messages_planned=10),
        (
            "The destination takes 9 messages more, and 10 are to be copied. Make room or raise that limit, or not "
            "everything will arrive."
        ),
    ),
    (SharedLeftOut(folders=("a",), more=0), "Not copied, as they are shared or other people’s: “a”."),
    (
        NamesChanged(renamed=(Renamed(source="a.b", destination="a_b"),), more=0),
        "Some folder names can’t be held by the destination as they are. They arrive changed: “a.b” as “a_b”.",
    ),
    (NameNotTaken(folder="a", destination="b"), "The destination does not take the name “a”: it is “b” there."),
    (
        FoldersJoined(folder="a", sources=("a", "A"), more=1),
        "3 source folders go into one destination folder, “a”: “a”, “A”, and 1 more.",
    ),
    (
        DryRunBlind(),
        (
            "A dry run can’t know whether the destination accepts the names of new folders, and often not whether it "
            "keeps keywords: most servers tell that only when something is written."
        ),
    ),
    (
        MessagesRewritten(survives="message_id"),
        (
            "The destination changes messages as it stores them, but not their Message-ID. They are recognised and "
            "verified by it alone."
        ),
    ),
    (
        MessagesRewritten(survives="none"),
        (
            "The destination changes messages beyond recognition, even their Message-ID. They can't be verified; what "
            "is in doubt is listed as unconfirmed and not sent again."
        ),
    ),
    (SizesWrong(), "The destination tells wrong sizes. Messages are recognised by their headers."),
    (DatesLost(), "The destination does not keep the dates of messages."),
    (
        GoneAtOnce(folder="a", messages=2, of=3),
        "2 of the first 3 messages delivered to “a” were gone at once. Is there a filter or a rule at the destination?",
    ),
    (OtherNotice(sentence="Mind the gap"), "Mind the gap"),
]


@pytest.mark.parametrize(("notice", "sentence"), SENTENCES, ids=lambda each: getattr(each, "kind", ""))
def test_each_kind_is_a_sentence_and_is_read_back_as_it_was_stored(notice: Notice, sentence: str) -> None:
    assert notice.text == sentence
    assert notices.read(notice.model_dump_json()) == notice
    assert json.loads(notice.model_dump_json())["text"] == sentence


def test_every_kind_has_its_sentence_here() -> None:
    assert {notice.kind for notice, _ in SENTENCES} == notices.KINDS


def test_a_kind_of_a_newer_version_is_read_by_its_sentence() -> None:
    newer = {"kind": "moon_full", "phase": 1, "text": "The moon is full."}

    assert notices.read(json.dumps(newer)) == OtherNotice(sentence="The moon is full.")


def test_of_long_lists_the_first_are_told_and_the_others_counted() -> None:
    told, more = notices.first([str(n) for n in range(13)])

    assert (told, more) == (("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"), 3)
    assert notices.first(["a"]) == (("a",), 0)
