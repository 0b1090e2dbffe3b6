"""Numbers and names as people read them. Pure."""

from libs.contracts.views import JobView, RemainingSeconds


def plain(text: str) -> str:
    """Names and answers of foreign servers, without what would steer the terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def said(text: str | None, who: str = "server") -> str:
    return f"The {who} said: {plain(text)}" if text else ""


def size(amount: float) -> str:
    """Bytes, in decimal units."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def remaining(seconds: RemainingSeconds | None) -> str:
    if seconds is None:
        return ""
    low, high = duration(seconds.low), duration(seconds.high)
    return f"about {low} left" if low == high else f"{low} to {high} left"


def title(job: JobView) -> str:
    return plain(job.name or f"{job.source_host} → {job.destination_host}")


def count(job: JobView) -> str:
    """`120 of 500 messages, 3 already there, 1 failed`."""
    done = f"{job.items_completed:,}"
    text = f"{done} copied" if job.items_total is None else f"{done} of {job.items_total:,} messages copied"
    parts = [text]
    if job.items_skipped:
        parts.append(f"{job.items_skipped:,} already there or left out")
    if job.items_failed:
        parts.append(f"{job.items_failed:,} failed")
    return ", ".join(parts)


def pace(job: JobView) -> str:
    speed = f"{size(job.speed_bytes_per_second)}/s" if job.speed_bytes_per_second else ""
    return ", ".join(part for part in (size(job.bytes_completed), speed, remaining(job.remaining_seconds)) if part)


def percent(job: JobView) -> str:
    return "" if job.progress_percent is None else f"{job.progress_percent:.1f} %"
