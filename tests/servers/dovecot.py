"""A Dovecot of its own for tests: own directory, ports, certificates and users."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from tests.servers.certificates import Authority, Certificate
from tests.servers.server import MailServer

CAPABILITIES = (  # what Dovecot 2.3 says after login
    "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS "
    "THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED "
    "I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE "
    "SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE"
)
SPECIAL = ("Drafts", "Sent", "Trash", "Junk", "Archive")


class Dovecot(MailServer):
    """Any user name logs in with `password`; `master` logs in as anybody with `master_password`.

    All listen on the whole of 127.0.0.0/8. The certificate is for `host` and
    localhost; at `untrusted_host` it is one that no `ca_file` vouches for, and
    at `other_host` it is the one of `host`: a wrong name.

    Stops with the thread that started it, however that ends.

    Args:
        hide: capabilities it does not announce, "MULTIAPPEND".
        ssl: "no": only `imap_port`, without STARTTLS. "required": no login at `imap_port` before STARTTLS, if one
            comes to `other_host` (Dovecot trusts who comes from its own address).
        separator, prefix: the personal namespace. Names hold no separator, and no "." at all.
        special: the folders Drafts, Sent, Trash, Junk and Archive exist, with their special use.
        settings: more lines for its configuration.
        parent: where its directory with the mail is made; in memory where that can be.
    """

    name = "dovecot"
    other_host = "127.0.0.2"
    untrusted_host = "127.0.0.3"
    master = "master"
    master_password = "battery-staple"

    def __init__(
        self,
        *,
        hide: Collection[str] = (),
        ssl: Literal["yes", "no", "required"] = "yes",
        separator: str = "/",
        prefix: str = "",
        special: bool = True,
        settings: str = "",
        parent: Path | None = None,
    ) -> None:
        super().__init__(parent)
        authority = Authority(self.directory, "ca")
        self.ca_file = authority.file
        self.certificate = authority.issue(self.host, "localhost")
        self.log_file = self.directory / "dovecot.log"
        self._uid, self._gid = self.owner.pw_uid, self.owner.pw_gid
        self._mail = self.own(self.directory / "mail")
        (self.directory / "masters").write_text(f"{self.master}:{{PLAIN}}{self.master_password}\n")
        self._settings = settings
        self._file = self.directory / "dovecot.conf"
        self._file.write_text(
            self._configuration(
                certificate=self.certificate,
                untrusted=Authority(self.directory, "stranger").issue(self.untrusted_host),
                hide=hide,
                ssl=ssl,
                separator=separator,
                prefix=prefix,
                special=special,
                settings=settings,
            )
        )
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", self.binary(), "-F", "-c", str(self._file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._await_greeting()
        except BaseException:
            self.stop()
            raise

    @classmethod
    def binary(cls) -> Path:
        return Path(shutil.which("dovecot") or "/usr/sbin/dovecot")

    def maildir(self, username: str) -> Path:
        """Where the mail of a user is: Maildir++, subfolders are `.Name.Sub` in modified UTF-7."""
        return self._mail / username.casefold() / "Maildir"

    def hand_over(self, username: str) -> None:
        """Make the mail files of a user, written by the test, those of the mail process."""
        for directory, _, files in os.walk(self._mail / username.casefold()):
            for name in (directory, *(os.path.join(directory, file) for file in files)):
                os.chown(name, self._uid, self._gid)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def change(self, settings: str) -> None:
        """Other lines for its configuration, also for those who are logged in: they have to come again."""
        self._file.write_text(self._file.read_text().replace(self._settings, settings))
        self._settings = settings
        for command in ("reload",), ("kick", "*"):
            subprocess.run(["doveadm", "-c", str(self._file), *command], check=False, capture_output=True)

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # SIGTERM lets it take 1.1 s
        self._process.wait(5)
        if self._process.stderr:
            self._process.stderr.close()
        self.remove()

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                assert self._process.stderr
                raise RuntimeError(f"Dovecot did not start: {self._process.stderr.read().decode()}{self.log()}")
            if self.answers():
                return
            time.sleep(0.01)
        raise RuntimeError(f"Dovecot did not answer: {self.log()}")

    def _configuration(
        self,
        *,
        certificate: Certificate,
        untrusted: Certificate,
        hide: Collection[str],
        ssl: Literal["yes", "no", "required"],
        separator: str,
        prefix: str,
        special: bool,
        settings: str,
    ) -> str:
        hidden = {name.upper() for name in hide}
        if ssl == "no":
            self.imaps_port = 0
        capability = " ".join(name for name in CAPABILITIES.split() if name not in hidden) if hidden else ""
        mailboxes = "".join(
            f"  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}\n" for name in SPECIAL
        )
        root = os.getuid() == 0
        me = pwd.getpwuid(self._uid).pw_name
        group = grp.getgrgid(self._gid).gr_name
        return f"""
base_dir = {self.directory}/run
state_dir = {self.directory}/state
log_path = {self.log_file}
default_internal_user = {"dovecot" if root else me}
default_internal_group = {"dovecot" if root else group}
default_login_user = {"dovenull" if root else me}
first_valid_uid = {self._uid}
first_valid_gid = {self._gid}
protocols = imap
listen = 0.0.0.0
shutdown_clients = yes
service imap-login {{
  chroot =
  service_count = 1  # one that carries several connections dies with the first that is reset inside TLS
  process_min_avail = 2
  process_limit = 1000
  inet_listener imap {{
    address = 0.0.0.0
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {self.imaps_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
auth_mechanisms = plain login
auth_master_user_separator = *
auth_username_chars =
auth_failure_delay = 0
auth_cache_size = 0
disable_plaintext_auth = {"yes" if ssl == "required" else "no"}
passdb {{
  driver = passwd-file
  args = {self.directory}/masters
  master = yes
  result_success = continue
}}
passdb {{
  driver = static
  args = password={self.password}
}}
userdb {{
  driver = static
  args = uid={self._uid} gid={self._gid} home={self._mail}/%Lu
}}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
{mailboxes if special else ""}}}
ssl = {ssl}
ssl_cert = <{certificate.file}
ssl_key = <{certificate.key_file}
local {self.untrusted_host} {{
  ssl_cert = <{untrusted.file}
  ssl_key = <{untrusted.key_file}
}}
{f"imap_capability = {capability}" if capability else ""}
{settings}
"""


def at_most(size: str) -> str:
    """Settings of a server that takes no larger message, "20k"."""
    return (
        "mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota\n}\n"
        f"plugin {{\n  quota = maildir:User quota\n  quota_rule = *:storage=1G\n  quota_max_mail_size = {size}\n}}\n"
    )
