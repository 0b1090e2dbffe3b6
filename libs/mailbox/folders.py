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
    """What a NAMESPACE response says; None when there is no personal one."""
    personal = _namespaces(values[0]) if values else []
    if not personal:
        return None
    (prefix, delimiter), *others = personal
    return Namespace(
        prefix=prefix,
        delimiter=delimiter or None,
        also_personal=frozenset(prefix for prefix, _ in others),
        foreign=frozenset(prefix for kind in values[1:] for prefix, _ in _namespaces(kind)),
    )


def _namespaces(kind: Value) -> list[tuple[str, str]]:
    """Prefix and delimiter of each."""
    found = kind if isinstance(kind, list) else []
    pairs = [one for one in found if isinstance(one, list) and len(one) >= 2]
    return [(decode_name(text(one[0])), decode_name(text(one[1]))) for one in pairs]


def text(value: Value) -> str:
    """A string as latin-1; "" for NIL or a list."""
    return value.decode("latin-1") if isinstance(value, bytes) else ""
