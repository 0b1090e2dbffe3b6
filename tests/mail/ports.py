"""Ports for servers of the tests."""

import socket


def free_port() -> int:
    """One that nothing listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
