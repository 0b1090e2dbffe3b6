"""What one snapshot looks like in a terminal. Pure."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from libs.contracts.jobs import JobState
from libs.contracts.views import BreakdownRow, FailureRow, JobView, Snapshot
from services.watch.texts import count, pace, percent, plain, said, title

COLOURS = {
    JobState.COMPLETED: "green",
    JobState.COMPLETED_WITH_ERRORS: "yellow",
    JobState.FAILED: "red",
    JobState.CANCELLED: "yellow",
}
ORDER = {"copying": 0, "failed": 1, "planned": 2, "waiting": 3, "done": 4}  # what moves is shown first
AROUND = 12  # lines that are not folders
MOST_FAILURES = 5


def screen(shown: Snapshot, failures: Sequence[FailureRow], *, height: int, lost: bool) -> RenderableType:
    """`height`: lines of the terminal; folders that do not fit are counted."""
    job = shown.job
    parts: list[RenderableType] = [
        Text(title(job), style="bold"),
        Text(plain(job.state_text), style=COLOURS.get(job.state, "")),
        _bar(job),
        Text(", ".join(part for part in (count(job), pace(job)) if part), style="dim"),
    ]
    notes = (said(job.failed_server_text), job.throttle_text, job.limit_text, *job.warnings)
    parts += [Text(plain(note), style="yellow") for note in notes if note]
    if shown.breakdown:
        parts += [Text(), _folders(shown.breakdown, max(3, height - AROUND - len(failures[:MOST_FAILURES])))]
    if failures:
        parts += [Text(), _failures(failures)]
    if lost:
        parts.append(Text("Connection lost. Trying again …", style="yellow"))
    return Group(*parts)


def _bar(job: JobView) -> Table:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1)
    line.add_column(justify="right", width=8)
    known = job.progress_percent is not None
    pulse = not known and job.state in (JobState.SCANNING, JobState.QUEUED, JobState.RUNNING)
    line.add_row(ProgressBar(total=100, completed=job.progress_percent or 0, pulse=pulse), percent(job))
    return line


def _folders(rows: Sequence[BreakdownRow], room: int) -> RenderableType:
    chosen = sorted(rows, key=lambda row: ORDER[row.state])[:room]
    table = Table(box=None, expand=True, padding=(0, 1), header_style="dim")
    table.add_column("Folder", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("", ratio=1)
    table.add_column("Messages", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, style="dim")
    for row in [row for row in rows if row in chosen]:
        total = row.items_total
        done = row.items_completed + row.items_skipped + row.items_failed
        bar = ProgressBar(total=total or 1, completed=done if total else float(row.state == "done"))
        failed = f", {row.items_failed} failed" if row.items_failed else ""
        table.add_row(
            Text(plain(row.name)), bar, f"{done:,}/{'?' if total is None else f'{total:,}'}{failed}", row.state
        )
    hidden = len(rows) - len(chosen)
    return Group(table, Text(f"… and {hidden} more folders", style="dim")) if hidden else table


def _failures(failures: Sequence[FailureRow]) -> RenderableType:
    lines = [Text(failure_line(row), style="yellow") for row in failures[:MOST_FAILURES]]
    if len(failures) > MOST_FAILURES:
        lines.append(Text(f"… and {len(failures) - MOST_FAILURES} more", style="yellow"))
    return Group(*lines)


def failure_line(row: FailureRow) -> str:
    which = plain(row.item or row.folder) + (f", message {row.uid}" if row.uid else "")
    without = f"Without {plain(' '.join(row.left_out))}." if row.left_out else ""
    words = said(row.server_text, "agent" if row.item else "server")
    return f"{which}: " + " ".join(part for part in (row.what_to_do, without, words) if part)
