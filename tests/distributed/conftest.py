"""One cluster for all tests of this tier; each leaves it as it was. It ends with them: others use the broker too."""

from collections.abc import Iterator

import pytest

from tests.distributed.cluster import Cluster
from tests.servers.dovecot import Dovecot
from tests.servers.kafka import Kafka


@pytest.fixture(scope="package")
def cluster(kafka: Kafka, dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster"), kafka, dovecot) as running:
        yield running
