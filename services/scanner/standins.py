"""Names for a destination whose server refuses the one a folder has. Pure.

Dovecot takes no `~` at the beginning and, as Maildir, no dot; Courier no slash; Cyrus none of many signs.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from services.scanner.naming import fold

LONGEST = 60  # characters of one level

_SIGNS = re.compile(r'[\x00-\x1f\x7f"\\%*;!|<>{}^`/.]|^~|^#')
_NO_WORD = re.compile(r"[^\w -]")
_NOT_ASCII = re.compile(r"[^ -~]")


def stand_ins(name: str, delimiter: str | None, taken: Collection[str]) -> Iterator[str]:
    """From the one nearest to the name to the one that any server takes.

    The same names in the same order give the same stand-ins, so that a second job finds the folders of
    the first. `taken` are the folded names of the job's other destination folders.
    """
    given = {name}
    parts = name.split(delimiter) if delimiter else [name]
    for change in (_without_signs, _words, _ascii):
        candidate = (delimiter or "").join(change(part).strip() or "_" for part in parts)
        if candidate not in given:
            given.add(candidate)
            yield _free(candidate, taken)


def _without_signs(part: str) -> str:
    return _SIGNS.sub("_", part)


def _words(part: str) -> str:
    return _NO_WORD.sub("_", part)[:LONGEST]


def _ascii(part: str) -> str:
    return _NOT_ASCII.sub("", unicodedata.normalize("NFKD", _words(part)))


def _free(name: str, taken: Collection[str]) -> str:
    number, candidate = 1, name
    while fold(candidate) in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate
