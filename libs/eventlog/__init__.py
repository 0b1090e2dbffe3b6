"""The log: append, follow, and consume in a group."""

from libs.eventlog.urls import open_log

__all__ = ["open_log"]
