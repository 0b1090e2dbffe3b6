"""What can be said before the first append about what the destination will not take. Pure.

Most servers tell how much they take, and some which keywords; whether a new
folder's name is welcome shows only when the folder is made. What a server does
not tell is not guessed. Each function answers None where there is nothing to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libs.contracts.notices import (
    DestinationTooSmall,
    FolderRefused,
    FoldersGone,
    FoldersJoined,
    KeywordsLost,
    MessagesTooLarge,
    NamesChanged,
    Renamed,
    SharedLeftOut,
    TooLittleRoom,
    TooManyMessages,
    first,
)
from libs.mailbox.port import Quota, Selected
from services.scanner.naming import FolderMapping, Side
from services.scanner.uses import components

ANY_KEYWORD = "\\*"  # RFC 3501 section 7.1: new ones can be made


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the destination has left, and what all plans so far will put into it; None: no limit that is known."""

    bytes_free: int | None
    messages_free: int | None
    bytes_planned: int
    messages_planned: int


def too_large(folder: str, messages: int, limit: int | None) -> MessagesTooLarge | None:
    """Of messages that the destination refuses for their size (RFC 7889)."""
    if not messages or limit is None:
        return None
    return MessagesTooLarge(folder=folder, messages=messages, limit_bytes=limit)


def refused(folder: str, refusal: str | None, messages: int) -> FolderRefused | None:
    """`refusal` is what the server said to CREATE; None when it made the folder, or was not asked to."""
    return None if refusal is None else FolderRefused(folder=folder, messages=messages, server_text=refusal)


def gone(names: Sequence[str]) -> FoldersGone | None:
    """Source folders that were listed, and then were not there to be planned."""
    folders, more = first(names)
    return FoldersGone(folders=folders, more=more) if folders else None


def keywords_lost(folder: str, keywords: Iterable[str], destination: Selected | None) -> KeywordsLost | None:
    """EXAMINE tells which flags would be kept on some servers only; on the others nothing is said."""
    kept = destination.permanent_flags if destination else frozenset[str]()
    if not kept or ANY_KEYWORD in kept:
        return None
    known = {flag.casefold() for flag in kept}
    lost, more = first(sorted({keyword for keyword in keywords if keyword.casefold() not in known}))
    return KeywordsLost(folder=folder, keywords=lost, more=more) if lost else None


def too_small(source: Quota, destination: Quota) -> DestinationTooSmall | None:
    """Known before anything is planned: what the source holds can't lie at the destination as a whole.

    Only the quota as a whole is compared: of what is left nothing is known as long as nobody has looked how much of
    the source is there already. `too_little_room` says that, from plan to plan.
    """
    if source.bytes_used is None or destination.bytes_free is None or destination.bytes_used is None:
        return None
    whole = destination.bytes_free + destination.bytes_used
    return DestinationTooSmall(bytes_used=source.bytes_used, bytes_whole=whole) if source.bytes_used > whole else None


def too_little_room(room: Room) -> TooLittleRoom | TooManyMessages | None:
    if room.bytes_free is not None and room.bytes_planned > room.bytes_free:
        return TooLittleRoom(bytes_free=room.bytes_free, bytes_planned=room.bytes_planned)
    if room.messages_free is not None and room.messages_planned > room.messages_free:
        return TooManyMessages(messages_free=room.messages_free, messages_planned=room.messages_planned)
    return None


def shared(source: Side) -> SharedLeftOut | None:
    """Folders that the account sees and that are not its own (RFC 2342)."""
    folders, more = first(
        [one.name for one in source.folders if one.selectable and not source.namespace.is_personal(one.name)]
    )
    return SharedLeftOut(folders=folders, more=more) if folders else None


def joined(mappings: Sequence[FolderMapping]) -> list[FoldersJoined]:
    """Each destination folder that takes more than one source folder."""
    found: list[FoldersJoined] = []
    for mapping in mappings:
        if len(mapping.sources) > 1:
            sources, more = first([folder.name for folder in mapping.sources])
            found.append(FoldersJoined(folder=mapping.destination_name, sources=sources, more=more))
    return found


def names_changed(mappings: Sequence[FolderMapping], source: Side, destination: Side) -> NamesChanged | None:
    """Names that hold what parts names at the destination arrive under another one."""
    delimiter = destination.namespace.delimiter
    renamed: list[Renamed] = []
    for mapping in mappings:
        for folder in mapping.sources:
            parts = components(folder, source.namespace)
            if delimiter is None and len(parts) > 1:
                changed = True
            else:
                changed = bool(delimiter) and any(str(delimiter) in part for part in parts)
            if changed and folder.name != mapping.destination_name:
                renamed.append(Renamed(source=folder.name, destination=mapping.destination_name))
    told, more = first(renamed)
    return NamesChanged(renamed=told, more=more) if told else None
