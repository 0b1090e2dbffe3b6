"""How often one client address may ask for what costs a login or a job, and one agent may report."""

import time
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import NewType

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from libs.contracts.ids import AgentId
from services.api.errors import TooManyRequests

Client = NewType("Client", str)

CHECKS = "60/minute"
JOBS = "120/minute"
REPORTS = "20/second"  # of one agent
REFUSALS = "60/minute"  # tokens that nobody has


class Rate:
    """One limit, counted in memory per process."""

    def __init__(self, limit: str) -> None:
        self._limit: RateLimitItem = parse(limit)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def take(self, client: Client | AgentId) -> None:
        """
        Raises:
            TooManyRequests: this client has used up its share.
        """
        if not self._windows.hit(self._limit, client):
            reset = self._windows.get_window_stats(self._limit, client).reset_time
            raise TooManyRequests(max(1, ceil(reset - time.time())))


def client_of(request: Request) -> Client:
    """The address of the client; of IPv6 the /64, which is what one customer gets."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return Client(host)
    if isinstance(address, IPv6Address):
        return Client(str(int(address) >> 64))
    return Client(host)
