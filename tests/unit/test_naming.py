"""Which destination folder each source folder goes into."""

import unicodedata
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from libs.mailbox.port import Folder, Namespace
from services.scanner.naming import FolderMapping, Side, fold, map_folders
from services.scanner.preflight import joined


def side(*names: str, delimiter: str | None = "/", prefix: str = "", uses: dict[str, str] | None = None) -> Side:
    return Side(
        folders=[
            Folder(wire=name, name=name, delimiter=delimiter, special_use=(uses or {}).get(name)) for name in names
        ],
        namespace=Namespace(prefix=prefix, delimiter=delimiter),
    )


def names(mappings: Sequence[FolderMapping]) -> dict[str, str]:
    return {folder.name: mapping.destination_name for mapping in mappings for folder in mapping.sources}


def mapped(source: Side, destination: Side, **options: object) -> dict[str, str]:
    return names(map_folders(source, destination, **{"folder_map": {}, **options}))  # type: ignore[arg-type]


def test_a_name_stays_where_delimiters_agree() -> None:
    assert mapped(side("INBOX", "Archive/2024"), side("INBOX")) == {"INBOX": "INBOX", "Archive/2024": "Archive/2024"}


def test_delimiters_are_translated_and_the_destinations_own_is_replaced_inside_a_name() -> None:
    assert mapped(side("a/b", "v1.0/x"), side("INBOX", delimiter=".")) == {"a/b": "a.b", "v1.0/x": "v1_0.x"}


def test_a_folder_goes_into_the_one_that_is_there_in_another_letter_case() -> None:
    assert mapped(side("work", "Büro"), side("INBOX", "Work", unicodedata.normalize("NFD", "BÜRO"))) == {
        "work": "Work",
        "Büro": unicodedata.normalize("NFD", "BÜRO"),
    }


def test_a_destination_without_levels_gets_one_name() -> None:
    assert mapped(side("a/b"), side("INBOX", delimiter=None)) == {"a/b": "a_b"}


def test_a_source_without_levels_keeps_its_names_whole() -> None:
    assert mapped(side("a.b", delimiter=None), side("INBOX", delimiter="/")) == {"a.b": "a.b"}


def test_the_sources_prefix_goes_and_the_destinations_comes() -> None:
    below = side("INBOX", "INBOX.Sent", "INBOX.a.b", delimiter=".", prefix="INBOX.")

    assert mapped(below, side("INBOX")) == {"INBOX": "INBOX", "INBOX.Sent": "Sent", "INBOX.a.b": "a/b"}
    assert mapped(side("INBOX", "Sent", "a/b"), below) == {"INBOX": "INBOX", "Sent": "INBOX.Sent", "a/b": "INBOX.a.b"}
    assert mapped(below, below) == {name: name for name in ("INBOX", "INBOX.Sent", "INBOX.a.b")}


def test_a_folder_below_the_inbox_is_not_put_below_it_twice() -> None:
    assert mapped(side("INBOX/x"), side("INBOX", delimiter=".", prefix="INBOX.")) == {"INBOX/x": "INBOX.x"}


def test_the_inbox_is_the_inbox_in_any_letter_case_and_comes_first() -> None:
    mappings = map_folders(side("a", "Inbox"), side("INBOX"), folder_map={})

    assert [mapping.destination_name for mapping in mappings] == ["INBOX", "a"]


def test_special_use_comes_before_the_name() -> None:
    source = side("Verschickt", "Müll", uses={"Verschickt": "\\Sent", "Müll": "\\Trash"})
    destination = side("INBOX", "Sent Items", "Old", uses={"Sent Items": "\\Sent", "Old": "\\Trash"})

    assert mapped(source, destination) == {"Verschickt": "Sent Items", "Müll": "Old"}


def test_without_attributes_special_folders_are_known_by_their_names_in_many_languages() -> None:
    source = side("Gesendete Elemente", "Brouillons", "Корзина", "迷惑メール", "Archivo")

    assert mapped(source, side("INBOX", "Sent", "Drafts", "Trash", "Spam", "Archives")) == {
        "Gesendete Elemente": "Sent",
        "Brouillons": "Drafts",
        "Корзина": "Trash",
        "迷惑メール": "Spam",
        "Archivo": "Archives",
    }


def test_a_name_is_not_believed_where_another_folder_has_the_attribute() -> None:
    source = side("Sent", "Gesendet", uses={"Gesendet": "\\Sent"})

    assert mapped(source, side("INBOX", "Outgoing", uses={"Outgoing": "\\Sent"})) == {
        "Sent": "Sent",
        "Gesendet": "Outgoing",
    }


def test_a_missing_special_folder_is_named_as_the_destination_names_the_others() -> None:
    source = side("Sent", "Trash", uses={"Sent": "\\Sent", "Trash": "\\Trash"})

    assert mapped(source, side("INBOX", "Entwürfe", "Papierkorb")) == {"Sent": "Gesendet", "Trash": "Papierkorb"}
    assert mapped(side("Envoyés"), side("INBOX")) == {"Envoyés": "Sent"}
    assert mapped(side("Envoyés"), side("INBOX", delimiter=".", prefix="INBOX.")) == {"Envoyés": "INBOX.Sent"}


def test_what_lies_below_a_special_folder_goes_with_it() -> None:
    source = side("Gesendet", "Gesendet/2023/Q1", "Gesendetes", uses={"Gesendet": "\\Sent"})
    below = side("INBOX", "INBOX.Sent Items", delimiter=".", prefix="INBOX.", uses={"INBOX.Sent Items": "\\Sent"})

    assert mapped(source, below) == {
        "Gesendet": "INBOX.Sent Items",
        "Gesendet/2023/Q1": "INBOX.Sent Items.2023.Q1",
        "Gesendetes": "INBOX.Gesendetes",
    }


GMAIL = {
    "[Gmail]/All Mail": "\\All",
    "[Gmail]/Starred": "\\Flagged",
    "[Gmail]/Important": "\\Important",
    "[Gmail]/Sent Mail": "\\Sent",
}


def test_all_mail_goes_last_into_the_archive_less_what_lies_in_other_folders_and_views_are_left_out() -> None:
    mappings = map_folders(side("INBOX", *GMAIL, "Work", uses=GMAIL), side("INBOX"), folder_map={})

    assert names(mappings) == {
        "INBOX": "INBOX",
        "[Gmail]/Sent Mail": "Sent",
        "Work": "Work",
        "[Gmail]/All Mail": "Archive",
    }
    assert [one.name for one in mappings[-1].less] == ["INBOX", "[Gmail]/Sent Mail", "Work"]
    assert not any(mapping.less for mapping in mappings[:-1])


def test_all_mail_joins_the_archive_that_is_there_and_comes_after_it() -> None:
    source = side("INBOX", "Archiv", *GMAIL, uses=GMAIL)

    mappings = map_folders(source, side("INBOX", "Archives"), folder_map={})

    assert [folder.name for folder in mappings[-1].sources] == ["Archiv", "[Gmail]/All Mail"]
    assert mappings[-1].destination_name == "Archives"


def test_all_mail_can_be_left_out_or_sent_elsewhere() -> None:
    source = side("INBOX", *GMAIL, uses=GMAIL)

    assert "[Gmail]/All Mail" not in mapped(source, side("INBOX"), exclude=["*/All Mail"])
    assert mapped(source, side("INBOX"), folder_map={"[Gmail]/All Mail": "Old"})["[Gmail]/All Mail"] == "Old"


def test_folders_of_other_people_and_shared_ones_are_left_out() -> None:
    namespace = Namespace(prefix="INBOX.", delimiter=".", foreign=frozenset({"user.", "", "#shared."}))
    listed = ("INBOX", "INBOX.a", "user.bob", "user.bob.x", "common", "#shared.y")
    source = Side(folders=[Folder(wire=one, name=one, delimiter=".") for one in listed], namespace=namespace)

    assert set(mapped(source, side("INBOX"))) == {"INBOX", "INBOX.a"}


def test_further_personal_namespaces_count() -> None:
    namespace = Namespace(
        prefix="", delimiter="/", also_personal=frozenset({"#mh/"}), foreign=frozenset({"Shared/", "#"})
    )

    assert [namespace.is_personal(name) for name in ("a", "#mh/x", "Shared", "Shared/x", "Sharedness", "#news")] == [
        *(True, True, False, False, True, False)
    ]


def test_the_folder_map_comes_before_everything() -> None:
    source = side("INBOX", "Sent", uses={"Sent": "\\Sent"})
    destination = side("INBOX", "Sent Items", uses={"Sent Items": "\\Sent"})

    assert mapped(source, destination, folder_map={"INBOX": "Old/Inbox", "Sent": "Old/Sent"}) == {
        "INBOX": "Old/Inbox",
        "Sent": "Old/Sent",
    }


def test_folders_that_hold_no_mail_are_left_out() -> None:
    source = Side(
        folders=[
            Folder(wire="a", name="a", delimiter="/", selectable=False),
            Folder(wire="a/b", name="a/b", delimiter="/"),
        ],
        namespace=Namespace(prefix="", delimiter="/"),
    )

    assert mapped(source, side("INBOX")) == {"a/b": "a/b"}


def test_globs_include_and_exclude_without_letter_case_and_with_a_slash_for_any_delimiter() -> None:
    source = side("INBOX", "Archive.2023", "Archive.2024", "Junk", delimiter=".")

    assert set(mapped(source, side("INBOX"), include=["archive/*"])) == {"Archive.2023", "Archive.2024"}
    assert set(mapped(source, side("INBOX"), include=["Archive.*"], exclude=["*2023"])) == {"Archive.2024"}
    assert set(mapped(source, side("INBOX"), exclude=["JUNK"])) == {"INBOX", "Archive.2023", "Archive.2024"}


def test_names_that_differ_in_letter_case_or_composition_share_one_folder_and_it_is_said() -> None:
    composed = "Gr\u00f6\u00dfe"
    decomposed = unicodedata.normalize("NFD", composed).upper()
    mappings = map_folders(side(composed, decomposed, "other"), side("INBOX"), folder_map={})

    assert len(mappings) == 2
    (notice,) = joined(mappings)
    assert set(notice.sources) == {composed, decomposed}
    assert all(name in notice.text for name in (notice.folder, *notice.sources))


def test_a_folder_that_exists_keeps_its_spelling() -> None:
    assert mapped(side("archive"), side("INBOX", "Archive")) == {"archive": "Archive"}


def test_letters_that_case_folding_takes_apart_are_composed_again() -> None:
    assert fold("\u0390") == fold("\u03aa\u0301") == fold("\u03b9\u0308\u0301")


PART = st.text(st.sampled_from("aAbäÄ\u0308./_ß"), min_size=1, max_size=4)
DELIMITER = st.sampled_from(["/", ".", "\\", None])


@given(
    parts=st.lists(st.lists(PART, min_size=1, max_size=3), max_size=8),
    existing=st.lists(PART, max_size=3),
    delimiters=st.tuples(DELIMITER, DELIMITER),
    prefix=st.sampled_from(["", "INBOX"]),
    used=st.none() | st.integers(0, 7),
)
def test_every_source_folder_has_one_destination_and_no_two_destinations_are_one_name(
    parts: list[list[str]],
    existing: list[str],
    delimiters: tuple[str | None, str | None],
    prefix: str,
    used: int | None,
) -> None:
    here, there = delimiters
    given_names = sorted({(here or "").join(part) for part in parts})
    uses = {given_names[used]: "\\Sent"} if used is not None and used < len(given_names) else {}
    source = side("INBOX", *given_names, delimiter=here, uses=uses)
    destination = side(
        "INBOX",
        *existing,
        delimiter=there,
        prefix=prefix + there if prefix and there else "",
        uses=dict.fromkeys(existing[:1], "\\Sent"),
    )

    mappings = map_folders(source, destination, folder_map={})

    assert sorted(folder.name for mapping in mappings for folder in mapping.sources) == sorted(["INBOX", *given_names])
    folded = [fold(mapping.destination_name) for mapping in mappings]
    assert len(set(folded)) == len(folded)
