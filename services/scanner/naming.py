"""Which destination folder each source folder goes into. Pure: lists in, mapping out.

Special use comes first (Sent into Sent, whatever its name), then the folder
map of the request, then the name itself with prefix and delimiter translated.
Names that are one name after NFC and case folding share one destination
folder (COPYING rule 1), and the people who watch the job are told.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from libs.mailbox.port import Folder, Namespace

INBOX = "INBOX"
MAPPED_USES = frozenset({"\\Sent", "\\Drafts", "\\Junk", "\\Trash", "\\Archive"})
DELIMITER_STAND_IN = "_"  # for a destination delimiter inside a source name


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    folders: Sequence[Folder]
    namespace: Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMapping:
    """One destination folder and all source folders that go into it."""

    sources: tuple[Folder, ...]
    destination_name: str


def map_folders(
    source: Side,
    destination: Side,
    *,
    folder_map: Mapping[str, str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[FolderMapping]:
    """Every selectable source folder that is wanted, in the server's order, INBOX first."""
    existing = {fold(folder.name): folder.name for folder in destination.folders}
    by_use = {
        folder.special_use: folder.name for folder in destination.folders if folder.special_use and folder.selectable
    }
    groups: dict[str, tuple[str, list[Folder]]] = {}
    for folder in sorted(source.folders, key=lambda folder: folder.name.upper() != INBOX):
        if not folder.selectable or not wanted(folder, include, exclude):
            continue
        name = destination_name(folder, source.namespace, destination.namespace, by_use=by_use, folder_map=folder_map)
        _, members = groups.setdefault(fold(name), (existing.get(fold(name), name), []))
        members.append(folder)
    return [FolderMapping(sources=tuple(members), destination_name=name) for name, members in groups.values()]


def destination_name(
    folder: Folder,
    source: Namespace,
    destination: Namespace,
    *,
    by_use: Mapping[str, str],
    folder_map: Mapping[str, str],
) -> str:
    if folder.name in folder_map:
        return folder_map[folder.name]
    if folder.name.upper() == INBOX:
        return INBOX
    if folder.special_use and folder.special_use in MAPPED_USES and folder.special_use in by_use:
        return by_use[folder.special_use]
    parts = components(folder, source)
    if destination.delimiter:
        parts = [part.replace(destination.delimiter, DELIMITER_STAND_IN) for part in parts]
        joined = destination.delimiter.join(parts)
    else:
        joined = DELIMITER_STAND_IN.join(parts)
    if destination.prefix.upper() == joined[: len(destination.prefix)].upper():
        return joined  # INBOX/x of a server without prefix is INBOX.x where everything is below INBOX
    return destination.prefix + joined


def components(folder: Folder, namespace: Namespace) -> list[str]:
    """The parts of a name without the namespace's prefix."""
    name = folder.name
    if namespace.prefix and name.startswith(namespace.prefix):
        name = name[len(namespace.prefix) :]
    return name.split(folder.delimiter) if folder.delimiter else [name]


def wanted(folder: Folder, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Globs match the whole name, without letter case; `/` may stand for the server's delimiter."""
    names = {fold(folder.name)}
    if folder.delimiter:
        names.add(fold(folder.name.replace(folder.delimiter, "/")))

    def matches(globs: Sequence[str]) -> bool:
        return any(fnmatchcase(name, fold(glob)) for glob in globs for name in names)

    return (not include or matches(include)) and not matches(exclude)


def fold(name: str) -> str:
    """Case folding takes some letters apart (Unicode 3.13, D145), so it is composed again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def collision_warnings(mappings: Sequence[FolderMapping]) -> list[str]:
    """One sentence for each destination folder that takes more than one source folder."""
    return [
        f"{len(mapping.sources)} source folders go into one destination folder, “{mapping.destination_name}”: "
        + ", ".join(f"“{folder.name}”" for folder in mapping.sources)
        for mapping in mappings
        if len(mapping.sources) > 1
    ]
