"""One JSON object a line on stdout. Ids, numbers and classes only: no secret, address, name or server text.

What is written is chosen, not what is left out: a number; a text only where the field is known and the text is one of
that field's (an id, a topic, a class of exception); of a message only what stands in the code that logs it.
"""

import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any, get_args

import structlog
from structlog.typing import EventDict, WrappedLogger

from libs.contracts import codec, topics

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

IDS = {
    "job_id": re.compile(r"j[0-9a-f]{24}"),
    "folder_id": re.compile(r"[0-9]{1,6}"),
    "plan_id": re.compile(r"[0-9a-f]{28}"),
    "worker": re.compile(r"(copier-[0-9a-f]{8}|scanner)"),
}
WORDS = {
    "topic": frozenset(topic.name for topic in topics.ALL),
    "type": frozenset(f"mailtide.{kind.__name__}.{codec.VERSION}" for kind in get_args(codec.Message)),
    "service": frozenset({"api", "scanner", "copier", "aggregator"}),
    "check": frozenset({"agents", "clickhouse", "log", "loop"}),
}
CLASSES = frozenset({"error", "failure"})  # of exceptions
NOT_SHOWN = "(a text that is not in the code)"

log = structlog.get_logger()


def configure(level: int = logging.INFO) -> None:
    """Take over structlog, the standard library's logging and the last words of threads for this process."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _failure,
    ]
    structlog.configure(
        processors=[_redacted, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # Of a library's record only the template is written: its values may be addresses, names or keys.
            use_get_message=False,
            pass_foreign_args=True,
            foreign_pre_chain=[_of_a_library, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True, default=_class),
            ],
        )
    )
    root = logging.getLogger()
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or hasattr(record, "_logger"))
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    # Python's own hooks would print the text of the exception.
    sys.excepthook = lambda kind, error, trace: log.error("process.uncaught", exc_info=(kind, error, trace))
    sys.unraisablehook = lambda raised: log.error("process.unraisable", exc_info=raised.exc_value)
    threading.excepthook = lambda raised: log.error("process.thread_failed", exc_info=raised.exc_value)


def _redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Every value of a field that may be shown; of any other its class."""
    for name, value in event.items():
        if name == "event":
            event[name] = value if isinstance(value, str) and _is_in_the_code(value) else NOT_SHOWN
        elif name != "exc_info" and not _may_be_shown(name, value):
            event[name] = _class(value)
    return event


def _of_a_library(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A library that formats an exception into its message: say at least which class it was."""
    shown: EventDict = {"event": event["event"], "exc_info": event.get("exc_info")}
    shown = _redacted(logger, method, shown)
    errors = [_class(each) for each in (event.get("positional_args") or ()) if isinstance(each, BaseException)]
    if errors:
        shown["errors"] = errors
    for name in ("_record", "_from_structlog"):
        shown[name] = event[name]
    return shown


def _may_be_shown(name: str, value: object) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return True
    if not isinstance(value, str):
        return False
    if name in IDS:
        return IDS[name].fullmatch(value) is not None
    return value in WORDS.get(name, ()) or (name in CLASSES and value in _exceptions())


def _is_in_the_code(text: str) -> bool:
    """Whether it is a constant of a function on the stack: no value that came from outside is, and no f-string."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if text in frame.f_code.co_consts:
            return True
        frame = frame.f_back
    return False


def _exceptions() -> set[str]:
    """The names of all classes of exceptions in this process."""
    found: set[type[BaseException]] = set()
    waiting: list[type[BaseException]] = [BaseException]
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting.extend(type.__subclasses__(kind))
    return {kind.__name__ for kind in found}


def _failure(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class, its causes and the places it passed: its text may hold anything."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) and len(info) == 3 else info
    if isinstance(error, BaseException):
        event["failure"] = " from ".join(type(each).__qualname__ for each in _causes(error))
        event["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
    return event


def _causes(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _class(value: object) -> str:
    return type(value).__qualname__
