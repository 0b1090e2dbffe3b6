"""`mailtide watch URL`: a migration live in a terminal, from the api's server-sent events."""

from services.watch.follow import watch
from services.watch.stream import WatchFailed

__all__ = ["WatchFailed", "watch"]
