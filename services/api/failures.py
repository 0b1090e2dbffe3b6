"""Failures as a table for a spreadsheet."""

import csv as _csv
import io
from collections.abc import Sequence

from libs.contracts.views import FailureRow

COLUMNS = ("at", "folder", "uid", "item", "reason", "server_text", "what_to_do", "outcome", "left_out")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv(failures: Sequence[FailureRow]) -> str:
    """RFC 4180, with a byte order mark so that spreadsheets read UTF-8."""
    text = io.StringIO()
    writer = _csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in failures:
        cells = {**row.model_dump(), "at": row.at.isoformat(), "uid": row.uid or "", "left_out": " ".join(row.left_out)}
        writer.writerow(_harmless(str(cells[column])) for column in COLUMNS)
    return "\ufeff" + text.getvalue()


def _harmless(cell: str) -> str:
    """A folder name or a server's text must not run as a formula (OWASP, CSV injection)."""
    return "'" + cell if cell.lstrip(" ").startswith(_FORMULA) else cell
