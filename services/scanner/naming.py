"""Which destination folder each source folder goes into. Pure: lists in, mapping out.

The folder map of the request comes first, then the special use (Sent into Sent,
whatever its name, and what lies below it with it), then the name itself with
prefix and delimiter translated. Names that are one name after NFC and case folding share one destination
folder (COPYING rule 1), and the people who watch the job are told.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from libs.mailbox.port import Folder, Namespace
from services.scanner import uses
from services.scanner.uses import components

INBOX = "INBOX"
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
    special_use: str | None = None  # that the destination folder has, or is to have
    less: tuple[Folder, ...] = ()  # whose mail is left out of the last of `sources`: it shows what lies there


def map_folders(
    source: Side,
    destination: Side,
    *,
    folder_map: Mapping[str, str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[FolderMapping]:
    """Every selectable personal source folder that is wanted, in the server's order, INBOX first.

    Folders that only show mail of others are left out. Of one that shows all mail, what lies
    nowhere else goes into the destination's archive.
    """
    existing = {fold(folder.name): folder.name for folder in destination.folders}
    special = uses.of_folders(source.folders, source.namespace)
    targets = special_names({*special, uses.ARCHIVE}, destination)
    moved = {tuple(components(folder, source.namespace)): targets[use] for use, folder in special.items()}
    groups: dict[str, tuple[str, list[Folder]]] = {}

    def add(folder: Folder, name: str) -> None:
        groups.setdefault(fold(name), (existing.get(fold(name), name), []))[1].append(folder)

    everything: Folder | None = None
    personal = [one for one in source.folders if one.selectable and source.namespace.is_personal(one.name)]
    for folder in sorted(personal, key=lambda folder: folder.name.upper() != INBOX):
        if folder.special_use in uses.VIEWS or not wanted(folder, include, exclude):
            continue
        if folder.special_use == uses.ALL:
            everything = folder
        else:
            add(folder, destination_name(folder, source.namespace, destination.namespace, moved, folder_map))
    if everything is not None:
        name = folder_map.get(everything.name, targets[uses.ARCHIVE])
        add(everything, name)
        groups[fold(name)] = groups.pop(fold(name))  # last: what is archived meanwhile is in the plan of its folder
    by_name = {fold(name): use for use, name in targets.items()}
    return [
        FolderMapping(
            sources=tuple(members),
            destination_name=name,
            special_use=by_name.get(folded),
            less=shown_by(everything, personal) if everything in members else (),
        )
        for folded, (name, members) in groups.items()
    ]


def share(mappings: Iterable[FolderMapping], same: Mapping[str, str]) -> list[FolderMapping]:
    """`same`: of a destination name that is another name of a folder before it, the first one."""
    groups: dict[str, FolderMapping] = {}
    for mapping in mappings:
        name = same.get(mapping.destination_name, mapping.destination_name)
        first = groups.get(name)
        groups[name] = (
            mapping
            if first is None
            else replace(
                first,
                sources=first.sources + mapping.sources,
                special_use=first.special_use or mapping.special_use,
                less=mapping.less,  # of its last source, as it is the last of all that can have some
            )
        )
    return list(groups.values())


def special_names(wanted_uses: Iterable[str], destination: Side) -> dict[str, str]:
    """The destination's folder of each use: the one that is there, or what it is to be called."""
    there = uses.of_folders(destination.folders, destination.namespace)
    return {
        use: there[use].name
        if use in there
        else destination.namespace.prefix + uses.customary_name(use, there, destination.namespace)
        for use in wanted_uses
    }


def shown_by(everything: Folder | None, folders: Sequence[Folder]) -> tuple[Folder, ...]:
    """The folders whose mail a folder of all mail shows too."""
    return tuple(one for one in folders if one != everything and one.special_use not in (*uses.VIEWS, uses.ALL))


def destination_name(
    folder: Folder,
    source: Namespace,
    destination: Namespace,
    moved: Mapping[tuple[str, ...], str],
    folder_map: Mapping[str, str],
) -> str:
    """`moved` tells where special folders go, by the parts of their names."""
    if folder.name in folder_map:
        return folder_map[folder.name]
    if folder.name.upper() == INBOX:
        return INBOX
    parts = components(folder, source)
    for end in range(len(parts), 0, -1):
        if (above := moved.get(tuple(parts[:end]))) is not None:
            return joined([above, *translated(parts[end:], destination)], destination)
    name = joined(translated(parts, destination), destination)
    below_inbox = not source.prefix and name[: len(destination.prefix)].upper() == destination.prefix.upper()
    # INBOX/x of a server without prefix is INBOX.x where everything is below INBOX
    return name if below_inbox else destination.prefix + name


def translated(parts: Sequence[str], destination: Namespace) -> list[str]:
    if not destination.delimiter:
        return list(parts)
    return [part.replace(destination.delimiter, DELIMITER_STAND_IN) for part in parts]


def joined(parts: Sequence[str], destination: Namespace) -> str:
    return (destination.delimiter or DELIMITER_STAND_IN).join(parts)


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
