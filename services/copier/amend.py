"""What a refusal suggests to try with a single message before it is given up (COPYING rule 10). Pure.

Its bytes are never changed: only flags and the date can be left out, and that is said.
"""

import re
from dataclasses import dataclass, replace

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AppendRefused
from libs.mailbox.port import AnyMessage

STANDARD = frozenset({"\\seen", "\\answered", "\\flagged", "\\deleted", "\\draft"})  # every server stores these
_FLAG = re.compile(r"flag|keyword", re.IGNORECASE)
_DATE = re.compile(r"date|\btime\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amended:
    """What is sent instead, and what is to be said of it once it was stored."""

    message: AnyMessage
    reason: Reason
    left_out: tuple[str, ...]  # flags and keywords, or INTERNALDATE


def amend(message: AnyMessage, refused: AppendRefused) -> Amended | None:
    """The next thing to try, or None. Each answer holds less than it was asked with, so asking again ends."""
    text = refused.server_text
    named = [flag for flag in message.flags if re.search(rf"(?<!\w){re.escape(flag.strip(chr(92)))}(?!\w)", text, re.I)]
    own = [flag for flag in message.flags if flag.lower() not in STANDARD]
    # LIMIT can be of the number of keywords (RFC 5530).
    about_flags = refused.about == "flags" or bool(_FLAG.search(text)) or refused.code == "LIMIT"
    about_date = refused.about == "date" or bool(_DATE.search(text))
    if named and (about_flags or refused.syntax):
        return _without(message, named)
    if own and (about_flags or (refused.syntax and not about_date)):
        return _without(message, own)
    if message.internaldate and (about_date or (refused.syntax and not about_flags)):
        return Amended(replace(message, internaldate=""), Reason.DATE_DROPPED, ("INTERNALDATE",))
    return None


def _without(message: AnyMessage, flags: list[str]) -> Amended:
    kept = tuple(flag for flag in message.flags if flag not in flags)
    return Amended(replace(message, flags=kept), Reason.FLAGS_DROPPED, tuple(flags))
