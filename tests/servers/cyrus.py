"""A Cyrus of its own for tests, unpacked from Debian's packages by install.sh."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import BinaryIO

from tests.servers.certificates import Authority
from tests.servers.server import UNPACKED, MailServer, libraries

ROOT = UNPACKED / "cyrus-imapd"
PROGRAMS = ROOT / "usr/lib/cyrus/bin"
SPECIAL = ("Drafts", "Sent", "Trash", "Junk", "Archive")


class Cyrus(MailServer):
    """An account is made with its first login.

    Args:
        altnamespace: folders lie beside INBOX, not below it ("INBOX.Sent").
        unixhierarchysep: "/" between levels, not ".".
        special: the folders Drafts, Sent, Trash, Junk and Archive exist, with their special use.
        settings: more lines for imapd.conf.
    """

    name = "cyrus"

    def __init__(
        self, *, altnamespace: bool = True, unixhierarchysep: bool = True, special: bool = True, settings: str = ""
    ) -> None:
        super().__init__()
        authority = Authority(self.directory, "cyrus-ca")
        self.ca_file = authority.file
        for part in ("db", "proc", "socket", "log", "msg", "lock", "user", "quota", "sieve"):
            self.own(self.directory / "config" / part)
        for part in ("config", "spool", "run"):
            self.own(self.directory / part)
        self._passwords = _Passwords(self.directory / "mux", self.password)
        certificate = authority.issue(self.host, "localhost")
        imapd, services = self.directory / "imapd.conf", self.directory / "cyrus.conf"
        created = "|".join(SPECIAL)
        special_use = f"autocreate_inbox_folders: {created}\nautocreate_subscribe_folders: {created}\n" + "".join(
            f"xlist-{name.lower()}: {name}\n" for name in SPECIAL
        )
        imapd.write_text(f"""
configdirectory: {self.directory}/config
defaultpartition: default
partition-default: {self.directory}/spool
proc_path: {self.directory}/config/proc
mboxname_lockpath: {self.directory}/config/lock
sievedir: {self.directory}/config/sieve
idlesocket: {self.directory}/config/socket/idle
lmtpsocket: {self.directory}/config/socket/lmtp
notifysocket: {self.directory}/config/socket/notify
cyrus_user: {self.owner.pw_name}
servername: localhost
altnamespace: {"yes" if altnamespace else "no"}
unixhierarchysep: {"yes" if unixhierarchysep else "no"}
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {self.directory}/mux
sasl_mech_list: PLAIN LOGIN
tls_server_cert: {certificate.file}
tls_server_key: {certificate.key_file}
autocreate_quota: 0
autocreate_users: anyone
autocreate_post: yes
{special_use if special else ""}
{settings}
""")
        listen = f'cmd="{PROGRAMS}/imapd -C {imapd}%s" listen="{self.host}:%d" prefork=2 maxchild=200'
        services.write_text(f"""
START {{
  recover cmd="{PROGRAMS}/ctl_cyrusdb -r -C {imapd}"
}}
SERVICES {{
  imap {listen % ("", self.imap_port)}
  imaps {listen % (" -s", self.imaps_port)}
}}
EVENTS {{
}}
""")
        self._process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "TERM", PROGRAMS / "master", "-D"),
                *("-C", imapd, "-M", services, "-p", self.directory / "run/pid"),
            ],
            env={"PATH": os.environ["PATH"], "CYRUS_USER": self.owner.pw_name, **libraries(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + 15
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                assert self._process.stderr
                raise RuntimeError(f"Cyrus does not answer: {self._process.stderr.read().decode()}")
            time.sleep(0.02)

    @classmethod
    def binary(cls) -> Path:
        return PROGRAMS / "master"

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(5)
        self._passwords.close()
        self.remove()


class _Passwords:
    """Stands where saslauthd does: each part of a request, and the answer, follows its length in two bytes."""

    def __init__(self, path: Path, password: str) -> None:
        self._password = password.encode()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o777)
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as asked:
                _user, password, _service, _realm = (_counted(asked) for _ in range(4))
                answer = b"OK" if password == self._password else b"NO"
                connection.sendall(len(answer).to_bytes(2, "big") + answer)


def _counted(asked: BinaryIO) -> bytes:
    return asked.read(int.from_bytes(asked.read(2), "big"))
