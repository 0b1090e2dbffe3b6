"""ClickHouse over HTTP in front of chDB, as far as `clickhouse-connect` uses it: `… <port> <directory> <password>`.

For tests alone: there is no ClickHouse server package here. What differs from a server: no users but one, no sessions,
no compression, no progress, answers are whole. It ends without ceremony: an insert that was answered is on disk.
"""

import base64
import re
import sys
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import LifoQueue
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

CONNECTIONS = 6  # statements at once
TRANSPORT = {
    "database", "query", "query_id", "session_id", "session_timeout", "session_check", "compress", "decompress",
    "wait_end_of_query", "client_protocol_version", "send_progress_in_http_headers", "buffer_size",
    "http_headers_progress_interval_ms", "enable_http_compression", "default_format", "quota_key", "role",
}  # fmt: skip
TRAILING_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
CODE = re.compile(r"Code: (\d+)")


class Engine:
    """One directory, a few connections; each knows which settings were applied to it."""

    def __init__(self, directory: str) -> None:
        self._free: LifoQueue[tuple[Any, dict[str, str]]] = LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put((chdb.connect(directory), {}))

    def run(self, sql: str, settings: dict[str, str], parameters: dict[str, str]) -> tuple[bytes, str | None]:
        """The answer and its format; None: the statement answers nothing."""
        connection, applied = self._free.get()
        try:
            for name in applied.keys() - settings.keys():
                connection.query(f"SET {name} = DEFAULT", "TabSeparated")
                del applied[name]
            for name, value in settings.items():
                if applied.get(name) != value:
                    connection.query(f"SET {name} = '{value}'", "TabSeparated")
                    applied[name] = value
            if embedded := TRAILING_FORMAT.search(sql):
                return connection.query(sql, "TabSeparated", params=parameters).bytes() or b"", embedded[1]
            body = connection.query(sql, "TabSeparatedWithNames", params=parameters).bytes() or b""
            _, names, rest = body.partition(b"\n")
            return rest, "TabSeparated" if names else None
        finally:
            self._free.put((connection, applied))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine: Engine
    password: str

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n")
        else:
            self._run(b"")

    def do_POST(self) -> None:
        self._run(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _run(self, body: bytes) -> None:
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if given != f"mailtide:{self.password}":
            self._answer(403, b"Code: 516. DB::Exception: Authentication failed", code="516")
            return
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if (kind := self.headers.get("Content-Type", "")).startswith("multipart/form-data"):
            form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            for part in form.get_payload():
                name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
                fields[str(name)] = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
            body = b""
        sql = "\n".join(filter(None, (fields.get("query", ""), body.decode())))
        settings = {name: value for name, value in fields.items() if name not in TRANSPORT and name[:6] != "param_"}
        parameters = {name[6:]: value for name, value in fields.items() if name[:6] == "param_"}
        try:
            answer, kind_of_answer = self.engine.run(sql, settings, parameters)
        except RuntimeError as error:
            code = CODE.search(str(error))
            self._answer(500, str(error).encode(), code=code[1] if code else "1002")
        else:
            self._answer(200, answer, kind_of_answer)

    def _answer(self, status: int, body: bytes, kind: str | None = None, *, code: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("X-ClickHouse-Summary", "{}")
        if kind:
            self.send_header("X-ClickHouse-Format", kind)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: statements hold names."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    port, directory, password = sys.argv[1:]
    Path(directory).mkdir(parents=True, exist_ok=True)
    Handler.engine, Handler.password = Engine(directory), password
    Server(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
