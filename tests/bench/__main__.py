"""The benchmark: `python -m tests.bench`, or `make bench`. Every tool copies the same mailboxes, in turn.

Prints tables of medians, and with `--write` puts them into docs/performance.md, one after the other as they come.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from libs.contracts.accounts import Account
from tests.acceptance.instance import Instance
from tests.bench import again, scale
from tests.bench.corpora import MAILBOXES, A, Mailbox
from tests.bench.measure import Failed
from tests.bench.report import PEERS, Run, difference, table
from tests.bench.tools import Copiers, Tool, job
from tests.mail.contents import Kept, contents, folder_names
from tests.mail.seed import append
from tests.servers.dovecot import Dovecot

ROUND_TRIP_MILLISECONDS = 40
FIXED_COST_MESSAGES = 5_000  # of A: what interimap takes for them bounds an empty job
OURS = ("engine", "mailtide")
HOPELESS = 3.0  # times interimap's wall: a tool that takes longer, or fails, is run in the first round only
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
MARK = "<!-- measured: written by make bench -->"
Medium = Literal["tmpfs", "disk"]


def main() -> None:
    arguments = _arguments()
    media = cast(list[Medium], arguments.media.split(","))
    begun = datetime.now(UTC)
    parts: list[str] = []
    for part in _parts(arguments, media):
        print(part, end="\n\n", flush=True)
        parts.append(part)
        if arguments.write:
            _write("\n\n".join(parts), begun)


def _parts(arguments: argparse.Namespace, media: list[Medium]) -> Iterator[str]:
    for medium in media:
        with bench_on(medium, arguments.security, arguments.scale) as bench:
            for name in filter(None, arguments.mailboxes.split(",")):
                yield bench.compare(MAILBOXES[name], arguments.rounds, arguments.tools.split(","))
            if arguments.fixed:
                yield bench.fixed_cost(arguments.rounds)
            if arguments.far:
                yield bench.far(arguments.rounds)
            if arguments.again:
                yield bench.again(arguments.rounds)
    if arguments.large:
        yield scale.measured()


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
    parser.add_argument("--again", action=argparse.BooleanOptionalAction, default=True, help="nothing to do")
    parser.add_argument("--large", action=argparse.BooleanOptionalAction, default=True, help="folders and messages")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCUMENT.name}")
    return parser.parse_args()


@contextlib.contextmanager
def bench_on(medium: Medium, security: Literal["plain", "tls"], scale: float) -> "Generator[Bench]":
    parent = Path("/dev/shm") if medium == "tmpfs" else Path(os.environ.get("TMPDIR", "/var/tmp"))
    with tempfile.TemporaryDirectory(prefix="mailtide-bench-", dir=parent) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with Dovecot(parent=directory) as dovecot:
            yield Bench(medium, security, scale, directory, dovecot)


class Bench:
    """One Dovecot with both accounts, and for each mailbox a Mailtide that serves one job after the other."""

    def __init__(
        self,
        medium: Medium,
        security: Literal["plain", "tls"],
        scale: float,
        directory: Path,
        dovecot: Dovecot,
    ) -> None:
        self._medium = medium
        self._security: Literal["plain", "tls"] = security
        self._scale = scale
        self._directory = directory
        self._dovecot = dovecot
        self._users = 0

    def compare(self, mailbox: Mailbox, rounds: int, names: list[str]) -> str:
        """Every tool in turn, `rounds` times."""
        scaled = mailbox.scaled(self._scale)
        source, kept, size = self._seeded(scaled)
        runs: list[Run] = []
        with self._mailtide() as mailtide:
            copiers = self._copiers(mailbox, mailtide)
            for number in range(rounds):
                for name in names:
                    runs.append(self._run(name, number, copiers.all[name], source, kept))
                names = [name for name in names if name in (*PEERS, *OURS) or _has_a_chance(name, runs)]
        self._remove(source)
        title = (
            f"### {mailbox.name} on {self._medium}, {self._security}: {kept.total():,} messages, "
            f"{size / 1e6:.1f} MB, {len({one.folder for one in kept})} folders"
        )
        return f"{title}\n\n{table(runs, messages=kept.total(), megabytes=size / 1e6)}"

    def _run(
        self, name: str, number: int, tool: Tool, source: Account, kept: Counter[Kept], port: int | None = None
    ) -> Run:
        """One tool into an account of its own, which is compared with the source; `port`: instead of the server's."""
        destination = self._account()
        try:
            cost = tool(_through(source, port), _through(destination, port))
            run = Run(name, number, cost, difference(kept, contents(destination)))
        except Failed as failed:
            _say(f"{name} failed: {failed}")
            run = Run(name, number, None, "failed")
        self._remove(destination)
        wall = f" {run.cost.wall:.2f} s" if run.cost else ""
        _say(f"{self._medium} round {number + 1}: {name}{wall}, {run.remark}")
        return run

    def fixed_cost(self, rounds: int) -> str:
        """An empty mailbox, against interimap on a small A."""
        empty = self._account()
        nothing = contents(empty)
        small = A.scaled(self._scale * FIXED_COST_MESSAGES / A.messages)
        source, kept, _ = self._seeded(small)
        runs: list[Run] = []
        with self._mailtide() as mailtide:
            copiers = self._copiers(A, mailtide)
            for number in range(rounds):
                runs.append(self._run("mailtide, empty", number, copiers.mailtide, empty, nothing))
                runs.append(self._run("interimap", number, copiers.interimap, source, kept))
                runs.append(self._run("mailtide", number, copiers.mailtide, source, kept))
        self._remove(source)
        title = (
            f"### Fixed cost on {self._medium}, {self._security}: an empty mailbox, and {kept.total():,} messages of A"
        )
        return f"{title}\n\n{table(runs)}"

    def far(self, rounds: int) -> str:
        """Both servers a long round trip away."""
        mailbox = A.scaled(self._scale * FIXED_COST_MESSAGES / A.messages)
        source, kept, size = self._seeded(mailbox)
        port = self._dovecot.imap_port if self._security == "plain" else self._dovecot.imaps_port
        with _delayed(port) as delayed, self._mailtide(delayed) as mailtide:
            copiers = self._copiers(A, mailtide)
            job(mailtide, self._account(), self._account())
            runs: list[Run] = []
            for number in range(rounds):
                for name in ("mailtide", "interimap"):
                    runs.append(self._run(name, number, copiers.all[name], source, kept, delayed))
        self._remove(source)
        title = (
            f"### {ROUND_TRIP_MILLISECONDS} ms away, {self._medium}, {self._security}: {kept.total():,} messages of A"
        )
        return f"{title}\n\n{table(runs, messages=kept.total(), megabytes=size / 1e6)}"

    def again(self, rounds: int) -> str:
        """A second run of A, in which there is nothing to do."""
        source, kept, _ = self._seeded(A.scaled(self._scale))
        destination = self._account()
        with self._mailtide() as mailtide:
            job(mailtide, source, destination)
            found = again.measured(mailtide, source, destination, self._dovecot.ca_file, rounds)
        for account in (source, destination):
            self._remove(account)
        return f"### A second run on {self._medium}, {self._security}: {kept.total():,} messages of A\n\n{found}"

    def _mailtide(self, *ports: int) -> Instance:
        settings = {
            "ALLOW_PLAIN": "true",
            "ALLOW_PORTS": ",".join(map(str, (self._dovecot.imap_port, self._dovecot.imaps_port, *ports))),
            "LATE_COMMIT_SECONDS": "35",
        }
        return Instance(Path(tempfile.mkdtemp(prefix="mailtide-", dir=self._directory)), self._dovecot, settings)

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


def _through(account: Account, port: int | None) -> Account:
    return account.model_copy(update={"port": port}) if port else account


def _has_a_chance(name: str, runs: list[Run]) -> bool:
    walls = {run.tool: run.cost.wall for run in runs if run.cost}
    return name in walls and ("interimap" not in walls or walls[name] <= HOPELESS * walls["interimap"])


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def _write(text: str, begun: datetime) -> None:
    head = DOCUMENT.read_text().partition(MARK)[0].rstrip() if DOCUMENT.exists() else "# Performance"
    command = " ".join(["python -m tests.bench", *sys.argv[1:]])
    when = f"Measured {begun:%Y-%m-%d %H:%M}–{datetime.now(UTC):%H:%M} UTC, {os.cpu_count()} cores, by `{command}`."
    DOCUMENT.write_text(f"{head}\n\n{MARK}\n\n{when}\n\n{text}\n")


if __name__ == "__main__":
    main()
