"""Mail when it is done, taken by a real SMTP server."""

import ssl
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.acceptance.instance import Instance, new_user, wait_for
from tests.contract.jobs import bytes_in
from tests.mail.corpus import Corpus
from tests.mail.ports import free_port
from tests.mail.seed import seed
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot

USER, PASSWORD = "postman", "p@ss word"
ADDRESS = "kanarienvogel@example.net"


class Sink:
    """Takes mail after STARTTLS and a login."""

    def __init__(self, directory: Path, port: int) -> None:
        certificate = Authority(directory, "sink").issue("127.0.0.1")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.file, certificate.key_file)
        self.ca_file = directory / "sink.pem"
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.controller = Controller(
            self, "127.0.0.1", port, tls_context=context, require_starttls=True, auth_required=True,
            authenticator=self._may,
        )  # fmt: skip

    def _may(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=SMTP)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.recipients += envelope.rcpt_tos
        return "250 Taken"


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    """Not started yet."""
    sink = Sink(tmp_path, free_port())
    yield sink
    sink.controller.stop(no_assert=True)


def test_one_mail_tells_of_the_end_though_the_mail_server_comes_late(
    dovecot: Dovecot, sink: Sink, tmp_path: Path
) -> None:
    with Instance(tmp_path / "mailtide", dovecot, mail_by(sink, dovecot)) as instance:
        assert instance.http.get("/api/abilities").json() == {"notify_email": True}
        source, destination = dovecot.account(new_user()), dovecot.account(new_user())
        seed(source, Corpus(messages=30, median_bytes=2_000, sigma=1))

        job = instance.request(source, destination, notify_email=ADDRESS)
        job.wait_for_end(60)
        wait_for(lambda: held(job.view()) == {"addresses", "names", "results"}, 10, "the credentials are gone")
        stored = bytes_in(instance.data)
        assert ADDRESS.encode() not in stored
        assert job.key.encode() not in stored

        sink.controller.start()
        wait_for(lambda: held(job.view()) == {"names", "results"}, 30, "the address is gone")
        job.instance.kill()
        instance.start()
        assert held(job.view()) == {"names", "results"}

    [message] = sink.mails
    assert sink.recipients == [ADDRESS]
    assert message["Subject"] == "Your mail has moved"
    assert "Copied: 30" in message.get_content()
    assert f"{instance.url}/jobs/{job.key}" in message.get_content()
    assert ADDRESS not in instance.log.read_text()


def test_the_mail_has_the_address_that_was_made_last(dovecot: Dovecot, sink: Sink, tmp_path: Path) -> None:
    with Instance(tmp_path / "mailtide", dovecot, mail_by(sink, dovecot)) as instance:
        source, destination = dovecot.account(new_user()), dovecot.account(new_user())
        job = instance.request(source, destination, notify_email=ADDRESS)
        first = job.get("/links")
        new = instance.http.post(f"{job.path}/rotate-links").json()

        sink.controller.start()
        wait_for(lambda: sink.mails, 60, "the mail is there")

        [message] = sink.mails
        assert new["url"] in message.get_content()
        assert first["url"] not in message.get_content()
        assert instance.http.get(new["url"].replace("/jobs/", "/api/jobs/")).json()["job_id"] == job.job_id


def mail_by(sink: Sink, dovecot: Dovecot) -> dict[str, str]:
    trusted = sink.ca_file.with_name("trusted.pem")
    trusted.write_text(sink.ca_file.read_text() + dovecot.ca_file.read_text())
    return {
        "SMTP_URL": f"smtp://{USER}:p%40ss%20word@127.0.0.1:{sink.controller.port}",
        "MAIL_FROM": "Mailtide <move@example.org>",
        "TLS_CA_FILE": str(trusted),
    }


def held(view: dict[str, Any]) -> set[str]:
    return {hold["what"] for hold in view["holds"]}
