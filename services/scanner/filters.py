"""Which messages a person left out by date or size. Pure."""

from datetime import date

from libs.contracts.jobs import JobOptions
from libs.mailbox.port import Listed

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, 1)}


def internal_date(text: str) -> date | None:
    """The day of `17-Jul-1996 02:44:25 -0700`, zone disregarded as in SEARCH SINCE (RFC 9051 section 6.4.4)."""
    try:
        day, month, year = text.strip().split(" ")[0].split("-")
        return date(int(year), MONTHS[month.title()], int(day))
    except (ValueError, KeyError):
        return None


def kept(listed: Listed, options: JobOptions) -> bool:
    """A message whose date can't be read is kept: leaving out is what was asked for by date only."""
    if options.max_item_bytes is not None and listed.size > options.max_item_bytes:
        return False
    if options.since is None and options.before is None:
        return True
    day = internal_date(listed.internaldate)
    if day is None:
        return True
    return (options.since is None or day >= options.since) and (options.before is None or day < options.before)
