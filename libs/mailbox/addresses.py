"""Which addresses may be connected to: a person names any host, and it must not lead into our own networks."""

import ipaddress
import queue
import socket
import threading
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from libs.contracts.reasons import Reason
from libs.mailbox.errors import AccountUnusable, MailboxBusy

Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215; Python 3.11 takes it for public
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1


def resolve(host: str, port: int, seconds: float) -> list[tuple[str, int]]:
    """Every address of a host, in the system's order, with the port.

    getaddrinfo knows no deadline: it runs in a thread that is left behind.

    Raises:
        AccountUnusable: there is no such host.
        MailboxBusy: the resolver could not say, or not in time.
    """
    answers: queue.SimpleQueue[list[tuple[str, int]] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise MailboxBusy(Reason.TIMED_OUT) from None
    if not isinstance(answer, Exception):
        return answer
    if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
        raise MailboxBusy(Reason.HOST_UNKNOWN) from answer
    raise AccountUnusable(Reason.HOST_UNKNOWN) from answer


def _look_up(host: str, port: int, answers: "queue.SimpleQueue[list[tuple[str, int]] | Exception]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:  # a name that IDNA can't write is a UnicodeError
        answers.put(error)
    else:
        answers.put(list(dict.fromkeys((str(address[0]), port) for *_, address in found)))


def permitted(addresses: Sequence[tuple[str, int]], allowed: Collection[Network]) -> list[tuple[str, int]]:
    """Those that are public or in an allowed network."""
    return [address for address in addresses if _is_permitted(ipaddress.ip_address(address[0]), allowed)]


def _is_permitted(address: IPv4Address | IPv6Address, allowed: Collection[Network]) -> bool:
    """An IPv6 address that carries an IPv4 address is as good as that one."""
    meant = _carried(address) or address
    if any(meant in network or address in network for network in allowed):
        return True
    if isinstance(meant, IPv6Address) and (meant.is_site_local or meant in _LOCAL_NAT64):
        return False
    return meant.is_global and not meant.is_multicast


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
