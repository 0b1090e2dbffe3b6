"""Why a log on Kafka can't be opened: whether to wait, or which setting is wrong."""

import asyncio
import ssl

from aiokafka.conn import create_conn  # pyright: ignore[reportUnknownVariableType]
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from kafka.errors import AuthorizationError

from libs.eventlog.brokers import MECHANISM, Brokers
from libs.eventlog.port import LogRefused, LogUnavailable

LOOK_SECONDS = 3.0


def look(brokers: Brokers) -> None:
    """Before a client of kafka-python is opened: to it a broker that it does not trust, or that refuses its name, is
    one that is away. Not in a loop that runs.

    Raises:
        LogRefused: of the first broker that is there.
    """
    if brokers.tls is not None:
        asyncio.run(_look(brokers))


def meaning(error: Exception) -> LogRefused | LogUnavailable:
    """Of what a client of kafka-python raised."""
    if isinstance(error, AuthorizationError):
        return LogRefused("LOG_USERNAME", f"this user may not do that ({type(error).__name__})")
    return LogUnavailable(f"No broker answers ({type(error).__name__}).")


async def _look(brokers: Brokers) -> None:
    for server in brokers.servers:
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=int(LOOK_SECONDS * 1000), **brokers.settings
            )
        except ssl.SSLCertVerificationError:
            text = "a broker's certificate is not of these authorities, not for its name, or expired"
            raise LogRefused("LOG_CA_FILE", text) from None
        except SaslAuthenticationFailed:
            raise LogRefused("LOG_PASSWORD", "the broker refuses this name and password") from None
        except UnsupportedSaslMechanismError:
            raise LogRefused("LOG_URL", f"the broker does not take {MECHANISM} at this port") from None
        except (KafkaError, OSError, TimeoutError):
            continue  # away, or it does not speak TLS: Kafka hangs up on what it does not understand
        connection.close()
        return
