"""LIST, LSUB and NAMESPACE responses as folders. Pure."""

from collections.abc import Iterable

from libs.mailbox.names import decode_name
from libs.mailbox.parse import Value
from libs.mailbox.port import Folder, Namespace

SPECIAL_USES = {  # RFC 6154 and RFC 8457; the letter case is theirs
    use.lower(): use
    for use in ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
}
_NOT_SELECTABLE = {"\\noselect", "\\nonexistent"}


def folder(values: list[Value], subscribed: frozenset[str] = frozenset()) -> Folder | None:
    """One LIST response: attributes, delimiter, name. None when it names nothing."""
    if len(values) < 3 or not isinstance(values[0], list):
        return None
    attributes = {text(value).lower() for value in values[0]}
    wire = text(values[2])
    if not wire:
        return None
    return Folder(
        wire=wire,
        name="INBOX" if wire.upper() == "INBOX" else decode_name(wire),
        delimiter=decode_name(text(values[1])) or None,
        special_use=next((SPECIAL_USES[name] for name in sorted(attributes) if name in SPECIAL_USES), None),
        selectable=not attributes & _NOT_SELECTABLE,
        subscribed="\\subscribed" in attributes or wire in subscribed,
    )


def distinct(folders: Iterable[Folder]) -> list[Folder]:
    """Each name once: overlapping namespaces list one twice."""
    return list({found.wire: found for found in folders}.values())


def namespace(values: list[Value]) -> Namespace | None:
    """The first personal one of a NAMESPACE response; None when there is none."""
    personal = values[0] if values else None
    first = personal[0] if isinstance(personal, list) and personal else None
    if not isinstance(first, list) or len(first) < 2:
        return None
    return Namespace(prefix=decode_name(text(first[0])), delimiter=decode_name(text(first[1])) or None)


def text(value: Value) -> str:
    """A string as latin-1; "" for NIL or a list."""
    return value.decode("latin-1") if isinstance(value, bytes) else ""
