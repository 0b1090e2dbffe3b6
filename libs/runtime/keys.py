"""The keys of this installation: from the settings, or, when embedded, made once and kept in the data directory."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from libs.runtime.settings import Settings


def make_data_dir(settings: Settings) -> Path:
    """The data directory, readable by its owner only."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.data_dir


def master_keys(settings: Settings) -> list[str]:
    """The Fernet keys of the vault, newest first."""
    if settings.master_keys:
        return [key.get_secret_value() for key in settings.master_keys]
    return [_kept(make_data_dir(settings) / "master.key", lambda: Fernet.generate_key().decode())]


def account_key(settings: Settings) -> bytes:
    """The secret of the account digests. Never changed while jobs live."""
    if settings.account_key is not None:
        return settings.account_key.get_secret_value().encode()
    return _kept(make_data_dir(settings) / "account.key", lambda: secrets.token_urlsafe(32)).encode()


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; it appears whole, with mode 0600, or not at all."""
    if not path.exists():
        new = path.with_suffix(f".{secrets.token_hex(4)}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(new, path)  # of two processes that start at once, one wins and both read its key
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text(encoding="ascii").strip()
