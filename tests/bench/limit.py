"""What the servers themselves take: everything fetched on one raw socket while it is appended on another.

Nothing is understood, nothing checked, nothing kept. Reads its task from standard input, prints what it took.
"""

import json
import re
import resource
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from tests.bench.corpora import MAILBOXES
from tests.mail.corpus import Mail

BATCH_MESSAGES, BATCH_BYTES = 500, 8 << 20
TAIL = 4096  # longer than the longest last line, the capabilities after a login
DONE = re.compile(rb"(?:^|\r\n)(limit\d+) (OK|NO|BAD)[^\r\n]*\r\n$")


class Raw:
    def __init__(self, account: dict[str, Any]) -> None:
        self._socket = socket.create_connection((account["host"], account["port"]))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if account["security"] == "tls":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket)
        self._number = 0
        self._buffer = memoryview(bytearray(1 << 20))
        self._socket.recv_into(self._buffer)
        self.run(f'LOGIN "{account["username"]}" "{account["password"]}"'.encode())

    def run(self, command: bytes) -> None:
        self._number += 1
        self._socket.sendall(b"limit%d %b\r\n" % (self._number, command))
        tail = b""
        while True:
            count = self._socket.recv_into(self._buffer)
            assert count, "the server hung up"
            tail = (tail + bytes(self._buffer[max(0, count - TAIL) : count]))[-TAIL:]
            if tail.endswith(b"\r\n") and (match := DONE.search(tail)):
                assert match[2] == b"OK", tail
                return


def appends(mails: Iterator[Mail]) -> Iterator[tuple[str, bytes]]:
    """(folder, MULTIAPPEND without tag) of all mail."""
    for folder, of_folder in groupby(mails, key=lambda mail: mail.folder):
        start = b'APPEND "%b"' % folder.encode()
        command, count = bytearray(start), 0
        for mail in of_folder:
            if count and (count == BATCH_MESSAGES or len(command) + len(mail.body) > BATCH_BYTES):
                yield folder, bytes(command)
                command, count = bytearray(start), 0
            flags = " ".join(mail.flags).encode()
            command += b' (%b) "%b" {%d+}\r\n' % (flags, mail.internaldate.encode(), len(mail.body))
            command += mail.body
            count += 1
        yield folder, bytes(command)


def main() -> None:
    task = json.load(sys.stdin)
    commands = list(appends(MAILBOXES[task["mailbox"]].scaled(task["scale"]).mails()))
    folders = list(dict.fromkeys(folder for folder, _ in commands))
    reader, writer = Raw(task["source"]), Raw(task["destination"])

    def read() -> None:
        for folder in folders:
            reader.run(b'EXAMINE "%b"' % folder.encode())
            reader.run(b"UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])")

    for folder in folders:
        if folder != "INBOX":
            writer.run(b'CREATE "%b"' % folder.encode())
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.monotonic()
    reading = threading.Thread(target=read)
    reading.start()
    for _, command in commands:
        writer.run(command)
    reading.join()
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
