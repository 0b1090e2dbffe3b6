"""One Mailtide for the tests that do not kill it."""

from collections.abc import Iterator

import pytest

from tests.acceptance.instance import Instance
from tests.servers.dovecot import Dovecot


@pytest.fixture(scope="session")
def instance(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with Instance(tmp_path_factory.mktemp("mailtide"), dovecot) as running:
        yield running
