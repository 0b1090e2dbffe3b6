"""A server that says OK and keeps nothing: no job in which that happened ends as completed (COPYING rule 19)."""

from collections import Counter
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from tests.acceptance.instance import Instance, new_user
from tests.mail.corpus import Mail
from tests.mail.model import DATE, MailboxModel, mail
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot
from tests.servers.model_server import ModelServer

MESSAGES = [mail(f"m{number}") for number in range(8)]
LOST = mail("m6")
WAYS = list(product((True, False), (True, False), ("standard", "deep")))  # UIDPLUS, MULTIAPPEND, verify


def test_rule_19_one_message_lost_without_a_word_ends_no_job_as_completed(dovecot: Dovecot, tmp_path: Path) -> None:
    with ExitStack() as stack:
        models = [MailboxModel(uidplus=uidplus, multiappend=multiappend) for uidplus, multiappend, _ in WAYS]
        for model in models:
            model.drops = lambda message: message.body == LOST
        servers = [stack.enter_context(ModelServer(model)) for model in models]
        sources = [dovecot.account(new_user()) for _ in WAYS]
        for source in sources:
            append(source, [Mail("INBOX", body, (), DATE) for body in MESSAGES])
        ports = ",".join(str(port) for port in (dovecot.imaps_port, *(server.port for server in servers)))
        running = stack.enter_context(Instance(tmp_path, dovecot, {"ALLOW_PLAIN": "true", "ALLOW_PORTS": ports}))
        # A destination account is its host and its user, whatever its port: each has a user of its own.
        jobs = [
            running.request(source, server.account(username=new_user()), verify=verify)
            for source, server, (_, _, verify) in zip(sources, servers, WAYS, strict=True)
        ]

        for job, model, way in zip(jobs, models, WAYS, strict=True):
            view = job.wait_for_end()
            (listed,) = job.get("/failures")
            assert (view["state"], listed["reason"]) == ("completed_with_errors", "removed_at_destination"), way
            # Where neither UIDs nor bytes are compared, one of the eight of that size is named.
            assert listed["uid"] == 7 or way[::2] == (False, "standard"), way
            assert (view["items_verified"], view["items_total"]) == (7, 8), way
            assert view["verify_level"] == ("bytes" if way[2] == "deep" else "size"), way
            assert Counter(model.bodies("INBOX")) == Counter(one for one in MESSAGES if one != LOST), way
