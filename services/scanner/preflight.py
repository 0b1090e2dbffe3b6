"""What can be said before the first append about what the destination will not take. Pure.

Most servers tell how much they take, and some which keywords; whether a new
folder's name is welcome shows only when the folder is made. What a server does
not tell is not guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libs.mailbox.port import Quota, Selected
from services.scanner.naming import FolderMapping, Side
from services.scanner.uses import components

SHOWN = 10  # names in one sentence
KILOBYTE, MEGABYTE = 1_000, 1_000_000
ANY_KEYWORD = "\\*"  # RFC 3501 section 7.1: new ones can be made

UNTOLD = (
    "A dry run can’t know whether the destination accepts the names of new folders, and often not whether it keeps "
    "keywords: most servers tell that only when something is written."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the destination has left, and what all plans so far will put into it; None: no limit that is known."""

    bytes_free: int | None
    messages_free: int | None
    bytes_planned: int
    messages_planned: int


def size_warning(folder: str, too_large: int, limit: int | None) -> str:
    """Of messages that the destination refuses for their size (RFC 7889). Empty when there is nothing to say, as all
    of these are."""
    if not too_large or limit is None:
        return ""
    return (
        f"{_messages(too_large)} of “{folder}” can’t be copied: the destination takes no message larger than "
        f"{_size(limit)}."
    )


def name_warning(folder: str, refusal: str | None, messages: int) -> str:
    """`refusal` is what the server said to CREATE; None when it made the folder, or was not asked to."""
    if refusal is None:
        return ""
    lost = f" {_messages(messages)} can’t be copied." if messages else " There is no mail in it."
    said = f" It said: {refusal}" if refusal else ""
    return f"The destination would not make the folder “{folder}”.{lost}{said}"


def gone_warning(names: Sequence[str]) -> str:
    """Source folders that were listed, and then were not there to be planned."""
    if not names:
        return ""
    return (
        "No longer at the source when its turn came, and not copied. If it was renamed, start the migration once "
        f"more: {_listed([f'“{name}”' for name in names])}"
    )


def keyword_warning(folder: str, keywords: Iterable[str], destination: Selected | None) -> str:
    """EXAMINE tells which flags would be kept on some servers only; on the others nothing is said."""
    kept = destination.permanent_flags if destination else frozenset[str]()
    if not kept or ANY_KEYWORD in kept:
        return ""
    known = {flag.casefold() for flag in kept}
    lost = sorted({keyword for keyword in keywords if keyword.casefold() not in known})
    return f"The destination keeps no new keywords in “{folder}”. Not kept: {_listed(lost)}" if lost else ""


def too_small_warning(source: Quota, destination: Quota) -> str:
    """Known before anything is planned: what the source holds can't lie at the destination as a whole.

    Only the quota as a whole is compared: of what is left nothing is known as long as nobody has looked how much of
    the source is there already. `room_warning` says that, from plan to plan.
    """
    if source.bytes_used is None or destination.bytes_free is None or destination.bytes_used is None:
        return ""
    whole = destination.bytes_free + destination.bytes_used
    if source.bytes_used <= whole:
        return ""
    return (
        f"The source says that it uses {_size(source.bytes_used)}, and the destination takes {_size(whole)} in all. "
        "Enlarge it or leave out folders, or it may be full before everything has arrived."
    )


def room_warning(room: Room) -> str:
    if room.bytes_free is not None and room.bytes_planned > room.bytes_free:
        return (
            f"The destination has {_size(room.bytes_free)} left, and {_size(room.bytes_planned)} are to be "
            "copied. Free space or enlarge it, or it will be full before everything has arrived."
        )
    if room.messages_free is not None and room.messages_planned > room.messages_free:
        return (
            f"The destination takes {_messages(room.messages_free)} more, and {room.messages_planned} are to be "
            "copied. Make room or raise that limit, or not everything will arrive."
        )
    return ""


def shared_warning(source: Side) -> str:
    """Folders that the account sees and that are not its own (RFC 2342)."""
    left = [one.name for one in source.folders if one.selectable and not source.namespace.is_personal(one.name)]
    return (
        f"Not copied, as they are shared or other people’s: {_listed([f'“{name}”' for name in left])}" if left else ""
    )


def rename_warning(mappings: Sequence[FolderMapping], source: Side, destination: Side) -> str:
    """Names that hold what parts names at the destination arrive under another one."""
    delimiter = destination.namespace.delimiter
    renamed: list[str] = []
    for mapping in mappings:
        for folder in mapping.sources:
            parts = components(folder, source.namespace)
            if delimiter is None and len(parts) > 1:
                changed = True
            else:
                changed = bool(delimiter) and any(str(delimiter) in part for part in parts)
            if changed and folder.name != mapping.destination_name:
                renamed.append(f"“{folder.name}” as “{mapping.destination_name}”")
    if not renamed:
        return ""
    return f"Some folder names can’t be held by the destination as they are. They arrive changed: {_listed(renamed)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f", and {more} more." if more > 0 else ".")


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _size(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size >= MEGABYTE else f"{size / KILOBYTE:,.1f} kB"
