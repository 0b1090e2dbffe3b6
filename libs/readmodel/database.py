"""One ClickHouse behind one URL: a server over HTTP, or chDB in this process."""

import json
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from libs.readmodel.port import ReadModelUnavailable
from libs.runtime import metrics

SETTINGS: dict[str, Any] = {
    "async_insert": 0,  # an insert is in its part, and on disk, when it is acknowledged
    "mutations_sync": 2,
    "join_use_nulls": 1,
    "date_time_input_format": "best_effort",
    # Questions and inserts are small and many: more threads for one cost a fifth more CPU and save no time.
    "max_threads": 1,
    "input_format_parallel_parsing": 0,
    # Nor are threads of their own for reading, or compiled expressions, worth what they cost: an eighth of a job's CPU.
    "local_filesystem_read_method": "pread",
    "load_marks_asynchronously": 0,
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}
# Joins are of a few rows: to plan them in the best order, for several threads, costs a quarter of their CPU.
EMBEDDED: dict[str, Any] = SETTINGS | {
    "join_algorithm": "hash",
    "query_plan_optimize_join_order_limit": 0,
    "query_plan_join_swap_table": "false",
    "enable_join_runtime_filters": 0,
}


REFUSED = {  # answers of a server that waiting does not change
    81: "there is no such database",
    192: "there is no such user",
    193: "it refuses this user and password",
    194: "it refuses this user without a password",
    497: "this user may not do what is needed",
    516: "it refuses this user and password",
}


class DatabaseRefused(Exception):
    """A server answers, and its URL is wrong."""


class DatabaseUrlInvalid(ValueError):
    """Neither `chdb:///path` nor `http(s)://user:password@host:port/database`."""


class Ids:
    """A parameter `{…:String}`: ids of ours, which hold no sign that means something, with commas between them.

    The driver escapes texts sign by sign, also those of a list, and ClickHouse reads the elements of an array anew
    wherever it stands. 1,000 ids in a question that names them seven times cost 18 ms as an array, 10 ms as one text.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._text = ",".join(ids)

    def __str__(self) -> str:
        return self._text


class Database:
    """Blocking and thread-safe: no two threads are ever in one client.

    A client shared by threads queues their queries one behind the other, so
    each call takes a free one or opens one more (40 ms).
    """

    def __init__(self, url: str) -> None:
        """
        Raises:
            DatabaseUrlInvalid: not a URL of either kind.
            DatabaseRefused: not the user, password or database of the server.
            ReadModelUnavailable: nothing answers there, or another process holds the chDB directory.
        """
        self._where = _where(url)
        self._settings = EMBEDDED if self._where["interface"] == "chdb" else SETTINGS
        self._free: list[Client] = []
        self._all: list[Client] = []
        self._lock = threading.Lock()
        self._closed = False
        try:
            with self._client():
                pass
        except ReadModelUnavailable as error:
            if error.code in REFUSED:
                raise DatabaseRefused(REFUSED[error.code]) from None
            raise

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """What a SELECT answers; times are UTC and aware."""
        with self._client() as client:
            return list(client.query(sql, parameters=_bound(parameters)).named_results())

    def execute(self, sql: str, **parameters: Any) -> None:
        """Run a statement that answers nothing; done, and durable, on return."""
        with self._client() as client:
            client.command(sql, parameters=_bound(parameters))

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """One durable insert of rows that have the same keys.

        As JSON lines in the statement itself: the driver's own insert goes
        through a file in the temporary directory, and a killed process would leave it there.
        """
        if not rows:
            return
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        lines = lines.encode("utf-8", "replace").decode()  # a lone surrogate from a server's text
        with metrics.INSERT_SECONDS.labels(table).time(), self._client() as client:
            client.command(f"INSERT INTO {table} ({', '.join(rows[0])}) FORMAT JSONEachRow", data=lines)
        metrics.INSERTED_ROWS.labels(table).inc(len(rows))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            clients, self._all, self._free = self._all, [], []
        for client in clients:
            client.close()

    @contextmanager
    def _client(self) -> Generator[Client]:
        with self._lock:
            if self._closed:
                raise ReadModelUnavailable("closed")
            client = self._free.pop() if self._free else None
        try:
            if client is None:
                client = clickhouse_connect.get_client(**self._where, settings=self._settings, tz_mode="aware")
                with self._lock:
                    self._all.append(client)
            yield client
        except (ClickHouseError, OSError) as error:
            # Not `from error`: the driver's text holds the rows that were sent.
            metrics.CLICKHOUSE_FAILURES.inc()
            code = getattr(error, "code", None)
            raise ReadModelUnavailable(f"{type(error).__name__} {code or ''}".strip(), code) from None
        finally:
            if client is not None:
                with self._lock:
                    self._free.append(client)


def stamp(at: datetime) -> str:
    """A time as ClickHouse reads it: UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _bound(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in parameters.items()}


def _where(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "chdb" and not parts.netloc and parts.path:
        return {"interface": "chdb", "path": unquote(parts.path)}
    if parts.scheme in ("http", "https") and parts.hostname:
        return {
            "interface": parts.scheme,
            "host": parts.hostname,
            "port": parts.port or (8443 if parts.scheme == "https" else 8123),
            "username": unquote(parts.username) if parts.username else "default",
            "password": unquote(parts.password or ""),
            "database": unquote(parts.path.strip("/")) or "default",
            "autogenerate_session_id": False,
            "connect_timeout": 5,
            "send_receive_timeout": 60,
            "form_encode_query_params": True,  # lists of ids would not fit into an address
        }
    raise DatabaseUrlInvalid("chdb:///path or http(s)://user:password@host:port/database")
