"""What EXAMINE tells of a folder (RFC 3501 section 6.3.2), gathered as it comes."""

from libs.mailbox.folders import text
from libs.mailbox.parse import Untagged, number
from libs.mailbox.port import Selected


class Selection:
    def __init__(self) -> None:
        self._exists = 0
        self._told: dict[str, str] = {}
        self._keywords: frozenset[str] = frozenset()

    def take(self, response: Untagged) -> None:
        if response.kind == b"EXISTS":
            self._exists = response.number
        elif response.kind == b"FLAGS":
            flags = [text(flag) for values in response.rest.values() if isinstance(values, list) for flag in values]
            self._keywords = frozenset(flag for flag in flags if flag and not flag.startswith("\\"))
        elif response.status is not None and response.status.code:
            self._told[response.status.code] = response.status.argument

    def selected(self) -> Selected | None:
        """None without UIDVALIDITY: the server has no lasting UIDs."""
        uidvalidity = number(self._told.get("UIDVALIDITY"))
        if uidvalidity is None:
            return None
        return Selected(
            uidvalidity=uidvalidity,
            uidnext=number(self._told.get("UIDNEXT")),
            exists=self._exists,
            mailbox_id=self._told.get("MAILBOXID", "").strip("()") or None,
            permanent_flags=frozenset(self._told.get("PERMANENTFLAGS", "").strip("()").split()),
            keywords=self._keywords,
        )
