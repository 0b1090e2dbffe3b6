"""What is good to know about a job: kinds with their values, and the English sentence of each.

The pages say each kind in the person's language from its values; the sentence is for everybody else, and for kinds
that a page does not know. Of long lists only the first names are kept, and how many `more` there are.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, computed_field

SHOWN = 10  # names in one sentence
KILOBYTE, MEGABYTE = 1_000, 1_000_000

T = TypeVar("T")
Names = tuple[str, ...]


class _Notice(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    @computed_field
    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.english()

    @abstractmethod
    def english(self) -> str: ...


class Renamed(BaseModel):
    model_config = ConfigDict(frozen=True)

    source: str
    destination: str


class MessagesTooLarge(_Notice):
    kind: Literal["messages_too_large"] = "messages_too_large"
    folder: str
    messages: int
    limit_bytes: int

    def english(self) -> str:
        return (
            f"{_messages(self.messages)} of “{self.folder}” can’t be copied: the destination takes no message larger "
            f"than {_size(self.limit_bytes)}."
        )


class FolderRefused(_Notice):
    kind: Literal["folder_refused"] = "folder_refused"
    folder: str
    messages: int
    server_text: str  # empty: the server gave no reason

    def english(self) -> str:
        lost = f"{_messages(self.messages)} can’t be copied." if self.messages else "There is no mail in it."
        said = f" It said: {self.server_text}" if self.server_text else ""
        return f"The destination would not make the folder “{self.folder}”. {lost}{said}"


class FoldersGone(_Notice):
    """They were listed, and then were not there to be planned."""

    kind: Literal["folders_gone"] = "folders_gone"
    folders: Names
    more: int

    def english(self) -> str:
        return (
            "No longer at the source when its turn came, and not copied. If it was renamed, start the migration once "
            f"more: {_listed(_quoted(self.folders), self.more)}"
        )


class SourceFolderGone(_Notice):
    """It went while it was copied."""

    kind: Literal["source_folder_gone"] = "source_folder_gone"
    folder: str

    def english(self) -> str:
        return (
            f"The source folder “{self.folder}” was renamed or deleted meanwhile; what was left of it is skipped. "
            "If it was renamed, run the migration once more."
        )


class KeywordsLost(_Notice):
    kind: Literal["keywords_lost"] = "keywords_lost"
    folder: str
    keywords: Names
    more: int

    def english(self) -> str:
        lost = _listed(self.keywords, self.more)
        return f"The destination keeps no new keywords in “{self.folder}”. Not kept: {lost}"


class DestinationTooSmall(_Notice):
    kind: Literal["destination_too_small"] = "destination_too_small"
    bytes_used: int  # at the source
    bytes_whole: int  # what the destination takes when it is empty

    def english(self) -> str:
        return (
            f"The source says that it uses {_size(self.bytes_used)}, and the destination takes "
            f"{_size(self.bytes_whole)} in all. Enlarge it or leave out folders, or it may be full before everything "
            "has arrived."
        )


class TooLittleRoom(_Notice):
    kind: Literal["too_little_room"] = "too_little_room"
    bytes_free: int
    bytes_planned: int

    def english(self) -> str:
        return (
            f"The destination has {_size(self.bytes_free)} left, and {_size(self.bytes_planned)} are to be copied. "
            "Free space or enlarge it, or it will be full before everything has arrived."
        )


class TooManyMessages(_Notice):
    kind: Literal["too_many_messages"] = "too_many_messages"
    messages_free: int
    messages_planned: int

    def english(self) -> str:
        return (
            f"The destination takes {_messages(self.messages_free)} more, and {self.messages_planned} are to be "
            "copied. Make room or raise that limit, or not everything will arrive."
        )


class SharedLeftOut(_Notice):
    kind: Literal["shared_left_out"] = "shared_left_out"
    folders: Names
    more: int

    def english(self) -> str:
        left = _listed(_quoted(self.folders), self.more)
        return f"Not copied, as they are shared or other people’s: {left}"


class NamesChanged(_Notice):
    kind: Literal["names_changed"] = "names_changed"
    renamed: tuple[Renamed, ...]
    more: int

    def english(self) -> str:
        changed = _listed([f"“{one.source}” as “{one.destination}”" for one in self.renamed], self.more)
        return f"Some folder names can’t be held by the destination as they are. They arrive changed: {changed}"


class NameNotTaken(_Notice):
    kind: Literal["name_not_taken"] = "name_not_taken"
    folder: str
    destination: str  # what it is called there instead

    def english(self) -> str:
        return f"The destination does not take the name “{self.folder}”: it is “{self.destination}” there."


class FoldersJoined(_Notice):
    kind: Literal["folders_joined"] = "folders_joined"
    folder: str  # at the destination
    sources: Names
    more: int

    def english(self) -> str:
        joined = _listed(_quoted(self.sources), self.more)
        many = len(self.sources) + self.more
        return f"{many} source folders go into one destination folder, “{self.folder}”: {joined}"


class DryRunBlind(_Notice):
    kind: Literal["dry_run_blind"] = "dry_run_blind"

    def english(self) -> str:
        return (
            "A dry run can’t know whether the destination accepts the names of new folders, and often not whether it "
            "keeps keywords: most servers tell that only when something is written."
        )


_LEFT_ALONE = {"size": "their main headers and size", "headers": "their main headers", "message_id": "their Message-ID"}


class MessagesRewritten(_Notice):
    kind: Literal["messages_rewritten"] = "messages_rewritten"
    survives: Literal["size", "headers", "message_id", "none"]  # what they are recognised by

    def english(self) -> str:
        if self.survives == "none":
            return (
                "The destination changes messages beyond recognition, even their Message-ID. They can't be verified; "
                "what is in doubt is listed as unconfirmed and not sent again."
            )
        by = "it alone" if self.survives == "message_id" else "these"
        return (
            f"The destination changes messages as it stores them, but not {_LEFT_ALONE[self.survives]}. "
            f"They are recognised and verified by {by}."
        )


class SizesWrong(_Notice):
    kind: Literal["sizes_wrong"] = "sizes_wrong"

    def english(self) -> str:
        return "The destination tells wrong sizes. Messages are recognised by their headers."


class DatesLost(_Notice):
    kind: Literal["dates_lost"] = "dates_lost"

    def english(self) -> str:
        return "The destination does not keep the dates of messages."


class GoneAtOnce(_Notice):
    kind: Literal["gone_at_once"] = "gone_at_once"
    folder: str
    messages: int
    of: int

    def english(self) -> str:
        return (
            f"{self.messages} of the first {self.of} messages delivered to “{self.folder}” were gone at once. "
            "Is there a filter or a rule at the destination?"
        )


class OtherNotice(_Notice):
    """A sentence alone: stored before there were kinds, or of a kind that this version does not know."""

    kind: Literal["other"] = "other"
    sentence: str

    def english(self) -> str:
        return self.sentence


_Known = (
    MessagesTooLarge
    | FolderRefused
    | FoldersGone
    | SourceFolderGone
    | KeywordsLost
    | DestinationTooSmall
    | TooLittleRoom
    | TooManyMessages
    | SharedLeftOut
    | NamesChanged
    | NameNotTaken
    | FoldersJoined
    | DryRunBlind
    | MessagesRewritten
    | SizesWrong
    | DatesLost
    | GoneAtOnce
    | OtherNotice
)
KINDS = frozenset(cls.model_fields["kind"].default for cls in get_args(_Known))


def _or_other(value: object) -> object:
    """What a newer version wrote is read by its sentence."""
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return OtherNotice(sentence=str(given.get("text"))) if given and given.get("kind") not in KINDS else value


Notice = Annotated[Annotated[_Known, Field(discriminator="kind")], BeforeValidator(_or_other)]
_NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)


def read(stored: str) -> Notice:
    return _NOTICE.validate_json(stored)


def first(told: Sequence[T]) -> tuple[tuple[T, ...], int]:
    """Those that are told one by one, and how many more there are."""
    return tuple(told[:SHOWN]), max(0, len(told) - SHOWN)


def _quoted(names: Sequence[str]) -> list[str]:
    return [f"“{name}”" for name in names]


def _listed(names: Sequence[str], more: int) -> str:
    return ", ".join(names) + (f", and {more} more." if more else ".")


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _size(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size >= MEGABYTE else f"{size / KILOBYTE:,.1f} kB"
