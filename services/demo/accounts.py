"""The two throwaway accounts, each a server process of its own."""

import json
import secrets
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, cast

from pydantic import SecretStr

from libs.contracts.accounts import Account

SOURCE, DESTINATION = "anna@old.example", "anna@new.example"


class DemoFailed(Exception):
    """A part of the demo did not start; says which."""


@contextmanager
def account(username: str, *, filled: bool) -> Generator[Account]:
    """An account that lives as long as the block.

    Raises:
        DemoFailed: its server did not start.
    """
    password = secrets.token_urlsafe(12)
    server = subprocess.Popen(
        [sys.executable, "-m", "services.demo.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in the terminal is for the demo, which ends them in order
    )
    to_server, from_server = cast(IO[str], server.stdin), cast(IO[str], server.stdout)
    try:
        # The password goes through the pipe: arguments can be read by everybody on the machine.
        to_server.write(json.dumps({"username": username, "password": password, "filled": filled}) + "\n")
        to_server.flush()
        port = from_server.readline().strip()
        if not port:
            raise DemoFailed("the sample mail server did not start")
        yield Account(
            host="127.0.0.1", port=int(port), security="plain", username=username, password=SecretStr(password)
        )
    finally:
        server.kill()  # everything it has is in memory
        server.wait()
