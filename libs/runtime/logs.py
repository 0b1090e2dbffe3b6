"""One JSON object a line on stdout. Ids, numbers and classes only: no secret, address, name or server text."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: int = logging.INFO) -> None:
    """Take over structlog and the standard library's logging for this process."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _failure,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # Of a library's record only the template is written: its values may be addresses, names or keys.
            use_get_message=False,
            pass_foreign_args=True,
            foreign_pre_chain=[*shared, _classes_of_arguments],
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


def _failure(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class, its causes and the places it passed: its text may hold anything."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
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


def _classes_of_arguments(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library that formats an exception into its message: say at least which class it was."""
    arguments = event.pop("positional_args", ())
    errors = [type(each).__qualname__ for each in (arguments or ()) if isinstance(each, BaseException)]
    if errors:
        event["errors"] = errors
    return event


def _class(value: object) -> str:
    return type(value).__qualname__
