"""The benchmark: `python -m tests.bench`, or `make bench`. Every tool copies the same mailboxes, in turn.

Prints tables of medians, and with `--write` puts them into docs/performance.md.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from libs.contracts.accounts import Account
from tests.acceptance.instance import Instance
from tests.bench.corpora import MAILBOXES, A, Mailbox
from tests.bench.measure import Failed
from tests.bench.report import Run, difference, table
from tests.bench.tools import Copiers, job
from tests.mail.contents import Kept, contents, folder_names
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot

ROUND_TRIP_MILLISECONDS = 40
FIXED_COST_MESSAGES = 5_000  # of A: what interimap takes for them bounds an empty job
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
MARK = "<!-- measured: written by make bench -->"
Medium = Literal["tmpfs", "disk"]


def main() -> None:
    arguments = _arguments()
    media = cast(list[Medium], arguments.media.split(","))
    with contextlib.ExitStack() as stack:
        parts: list[str] = []
        for medium in media:
            bench = stack.enter_context(bench_on(medium, arguments.security, arguments.scale))
            for name in filter(None, arguments.mailboxes.split(",")):
                parts.append(bench.compare(MAILBOXES[name], arguments.rounds, arguments.tools.split(",")))
            if arguments.fixed:
                parts.append(bench.fixed_cost(arguments.rounds))
            if arguments.far:
                parts.append(bench.far(arguments.rounds))
            stack.pop_all().close()
    text = "\n\n".join(parts)
    if arguments.write:
        _write(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the messages of each mailbox")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mailboxes", default="A,B,C")
    parser.add_argument("--media", default="tmpfs,disk", help="where Dovecot keeps the mail")
    parser.add_argument("--security", choices=("plain", "tls"), default="plain", help="of every connection")
    parser.add_argument("--tools", default="limit,engine,mailtide,interimap,mbsync,doveadm")
    parser.add_argument("--fixed", action=argparse.BooleanOptionalAction, default=True, help="an empty job's cost")
    parser.add_argument("--far", action=argparse.BooleanOptionalAction, default=True, help="with a long round trip")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCUMENT.name}")
    return parser.parse_args()


@contextlib.contextmanager
def bench_on(medium: Medium, security: Literal["plain", "tls"], scale: float) -> "Generator[Bench]":
    parent = Path("/dev/shm") if medium == "tmpfs" else Path(os.environ.get("TMPDIR", "/var/tmp"))
    with tempfile.TemporaryDirectory(prefix="mailtide-bench-", dir=parent) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with Dovecot(parent=directory) as dovecot, _mailtide(directory, dovecot, ()) as mailtide:
            yield Bench(medium, security, scale, directory, dovecot, mailtide)


def _mailtide(directory: Path, dovecot: Dovecot, ports: tuple[int, ...]) -> Instance:
    settings = {
        "ALLOW_PLAIN": "true",
        "ALLOW_PORTS": ",".join(map(str, (dovecot.imap_port, dovecot.imaps_port, *ports))),
        "LATE_COMMIT_SECONDS": "35",
    }
    return Instance(directory / f"mailtide-{len(ports)}", dovecot, settings)


class Bench:
    """One Dovecot with both accounts, and one Mailtide that serves one job after the other."""

    def __init__(
        self,
        medium: Medium,
        security: Literal["plain", "tls"],
        scale: float,
        directory: Path,
        dovecot: Dovecot,
        mailtide: Instance,
    ) -> None:
        self._medium = medium
        self._security: Literal["plain", "tls"] = security
        self._scale = scale
        self._directory = directory
        self._dovecot = dovecot
        self._mailtide = mailtide
        self._users = 0

    def compare(self, mailbox: Mailbox, rounds: int, names: list[str]) -> str:
        """Every tool in turn, `rounds` times."""
        scaled = mailbox.scaled(self._scale)
        source, kept, size = self._seeded(scaled)
        copiers = self._copiers(mailbox, self._mailtide)
        runs: list[Run] = []
        for number in range(rounds):
            for name in names:
                destination = self._account()
                try:
                    cost = copiers.all[name](source, destination)
                except Failed as failed:
                    runs.append(Run(name, number, None, "failed"))
                    _say(f"{name} failed: {failed}")
                else:
                    remark = difference(kept, contents(destination))
                    runs.append(Run(name, number, cost, remark))
                    _say(f"{self._medium} {mailbox.name} {number + 1}: {name} {cost.wall:.2f} s, {remark}")
                self._remove(destination)
        self._remove(source)
        title = (
            f"### {mailbox.name} on {self._medium}, {self._security}: {kept.total():,} messages, "
            f"{size / 1e6:.1f} MB, {len({one.folder for one in kept})} folders"
        )
        return _told(f"{title}\n\n{table(runs, messages=kept.total(), megabytes=size / 1e6)}")

    def fixed_cost(self, rounds: int) -> str:
        """An empty mailbox, against interimap on a small A."""
        empty = self._account()
        contents(empty)
        small = A.scaled(self._scale * FIXED_COST_MESSAGES / A.messages)
        source, kept, _ = self._seeded(small)
        copiers = self._copiers(A, self._mailtide)
        runs: list[Run] = []
        for number in range(rounds):
            for name, tool, mail in (
                ("mailtide, empty", copiers.all["mailtide"], empty),
                ("interimap", copiers.all["interimap"], source),
                ("mailtide", copiers.all["mailtide"], source),
            ):
                destination = self._account()
                runs.append(Run(name, number, tool(mail, destination), "equal"))
                self._remove(destination)
        self._remove(source)
        title = (
            f"### Fixed cost on {self._medium}, {self._security}: an empty mailbox, and {kept.total():,} messages of A"
        )
        return _told(f"{title}\n\n{table(runs)}")

    def far(self, rounds: int) -> str:
        """Both servers a long round trip away."""
        mailbox = A.scaled(self._scale * FIXED_COST_MESSAGES / A.messages)
        source, kept, size = self._seeded(mailbox)
        port = self._dovecot.imap_port if self._security == "plain" else self._dovecot.imaps_port
        with (
            _delayed(port) as delayed,
            _mailtide(self._directory, self._dovecot, (delayed,)) as mailtide,
        ):
            copiers = self._copiers(A, mailtide)
            job(mailtide, self._account(), self._account())
            runs: list[Run] = []
            for number in range(rounds):
                for name in ("mailtide", "interimap"):
                    destination = self._account()
                    cost = copiers.all[name](_through(source, delayed), _through(destination, delayed))
                    runs.append(Run(name, number, cost, difference(kept, contents(destination))))
                    self._remove(destination)
        self._remove(source)
        title = (
            f"### {ROUND_TRIP_MILLISECONDS} ms away, {self._medium}, {self._security}: {kept.total():,} messages of A"
        )
        return _told(f"{title}\n\n{table(runs, messages=kept.total(), megabytes=size / 1e6)}")

    def _copiers(self, mailbox: Mailbox, mailtide: Instance) -> Copiers:
        return Copiers(self._directory, self._dovecot, mailbox.name, self._scale, mailtide)

    def _seeded(self, mailbox: Mailbox) -> tuple[Account, Counter[Kept], int]:
        """A source account with the mailbox in it, what lies there, and how many bytes."""
        source = self._account()
        append(source, mailbox.mails())
        return source, contents(source), sum(len(mail.body) for mail in mailbox.mails())

    def _account(self) -> Account:
        self._users += 1
        account = self._dovecot.account(f"bench{self._users}", security=self._security)
        folder_names(account)  # the first login makes the directories
        return account

    def _remove(self, account: Account) -> None:
        subprocess.run(["rm", "-rf", str(self._dovecot.maildir(account.username).parent)], check=True)


@contextlib.contextmanager
def _delayed(port: int) -> Generator[int]:
    command = [sys.executable, "-m", "tests.bench.delay", str(port), str(ROUND_TRIP_MILLISECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as proxy:
        assert proxy.stdout
        try:
            yield int(proxy.stdout.readline())
        finally:
            proxy.terminate()


def _through(account: Account, port: int) -> Account:
    return account.model_copy(update={"port": port})


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def _told(text: str) -> str:
    print(text, end="\n\n", flush=True)
    return text


def _write(text: str) -> None:
    head = DOCUMENT.read_text().partition(MARK)[0].rstrip() if DOCUMENT.exists() else "# Performance"
    command = " ".join(["python -m tests.bench", *sys.argv[1:]])
    when = f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, by `{command}`."
    DOCUMENT.write_text(f"{head}\n\n{MARK}\n\n{when}\n\n{text}\n")


if __name__ == "__main__":
    main()
