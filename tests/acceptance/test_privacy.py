"""Canaries: what must not be written anywhere is looked for everywhere (promises 5 to 7)."""

from datetime import UTC, datetime

from pydantic import SecretStr

from libs.contracts.accounts import Account
from tests.acceptance.instance import Instance, new_user, wait_for
from tests.acceptance.test_cancel_and_delete import files_with
from tests.mail.corpus import Corpus, Mail, internaldate
from tests.mail.seed import append, seed
from tests.servers.dovecot import Dovecot

FOLDER, SUBJECT, MESSAGE_ID = "Kanarienordner", "Kanarienbetreff", "kanarie-4711@mail.example"
SEALED = b"gAAAAA"  # how every Fernet token begins


def test_no_canary_is_in_log_or_output_and_no_credential_outlives_the_job(instance: Instance, dovecot: Dovecot) -> None:
    user = "kanarie" + new_user()
    source, destination = dovecot.account(user), dovecot.account("other" + user)
    seed(source, Corpus(messages=300, median_bytes=8_000, sigma=1))
    append(source, [canary()])
    job = instance.request(source, destination, bandwidth_limit_mbps=8)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")

    assert not everywhere(instance, dovecot.password)
    assert files_with(instance, SEALED), "the sealed credentials can be found, or this test proves nothing"
    job.wait_for_end()

    wait_for(lambda: not files_with(instance, SEALED), 10, "no credential is left, sealed or clear")
    assert not everywhere(instance, dovecot.password)
    log = [file for file in instance.data.glob("log.db*") if file.is_file()]
    assert log
    for canary_text in (user, FOLDER, SUBJECT, MESSAGE_ID, job.key, job.view_key, "127.0.0.1:" + str(source.port)):
        for file in (*log, instance.log):
            assert canary_text.encode() not in file.read_bytes(), (canary_text, file.name)


def test_a_wrong_password_and_its_user_are_in_no_output(instance: Instance, dovecot: Dovecot) -> None:
    wrong = Account(
        host=dovecot.host, port=dovecot.imaps_port, username="kanarie-" + new_user(), password=SecretStr("kanarie-pw-1")
    )
    instance.request(wrong, dovecot.account(new_user())).wait_for_end()

    wait_for(lambda: not files_with(instance, SEALED), 10, "no credential is left")
    assert not everywhere(instance, "kanarie-pw-1")
    assert wrong.username.encode() not in instance.log.read_bytes()


def everywhere(instance: Instance, text: str) -> list[str]:
    found = files_with(instance, text.encode())
    return found + ([instance.log.name] if text.encode() in instance.log.read_bytes() else [])


def canary() -> Mail:
    head = f"From: a@mail.example\r\nSubject: {SUBJECT}\r\nMessage-ID: <{MESSAGE_ID}>\r\n\r\nhello\r\n"
    return Mail(FOLDER, head.encode(), ("\\Seen",), internaldate(datetime(2020, 1, 2, tzinfo=UTC)))
