"""Settings come from the environment, once, at the start: `MAILTIDE_<NAME>`, secrets also from `…_FILE`."""

import os
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from cryptography.fernet import Fernet
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "MAILTIDE_"
SECRETS = frozenset({"log_password", "clickhouse_url", "master_keys", "account_key", "operator_token", "smtp_url"})


class SettingsError(Exception):
    """One line that names the setting and says what is wrong with it, never its value."""


def _split(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("must be host:port")
    return text


def _scheme(*schemes: str) -> AfterValidator:
    def check(url: SecretStr | str | None) -> SecretStr | str | None:
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        if text is not None and not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return AfterValidator(check)


def _with_host(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        if parts.hostname and parts.port != 0:
            return url
    except ValueError:
        pass
    raise ValueError("must be smtp://user:password@host:port") from None


def _one_address(text: str) -> str:
    if "@" not in parseaddr(text)[1] or not text.isprintable():
        raise ValueError("must be a mail address, such as Mailtide <move@example.org>")
    return text


def _fernet_key(key: SecretStr) -> SecretStr:
    try:
        Fernet(key.get_secret_value())
    except ValueError:
        raise ValueError("must be Fernet keys (32 bytes, URL-safe base64), separated by commas") from None
    return key


Port = Annotated[int, Field(ge=1, le=65535)]
Network = IPv4Network | IPv6Network
LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
FernetKey = Annotated[SecretStr, AfterValidator(_fernet_key)]


class Settings(BaseSettings):
    """docs/settings.md says what each one means; a test fails when one is missing there."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    data_dir: Path = Path("data")
    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:8025"
    public_url: AnyHttpUrl | None = None
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)] = LOOPBACK
    log_url: Annotated[str, _scheme("sqlite", "kafka", "kafka+tls")] = ""
    log_ca_file: FilePath | None = None
    log_username: str | None = None
    log_password: SecretStr | None = None
    clickhouse_url: Annotated[SecretStr, _scheme("chdb", "http", "https")] = SecretStr("")
    master_keys: Annotated[tuple[FernetKey, ...], NoDecode, BeforeValidator(_split)] = ()
    account_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    operator_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    smtp_url: Annotated[SecretStr, _scheme("smtp", "smtps"), AfterValidator(_with_host)] | None = None
    mail_from: Annotated[str, AfterValidator(_one_address)] | None = None
    late_commit_seconds: float = Field(default=35, ge=0, le=3600)
    allow_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)] = ()
    allow_ports: Annotated[tuple[Port, ...], NoDecode, BeforeValidator(_split)] = (143, 993)
    allow_plain: bool = False
    tls_ca_file: FilePath | None = None
    copier_threads: int = Field(default=16, ge=1, le=256)
    session_timeout_seconds: float = Field(default=45, ge=6, le=60)
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")] | None = None
    retention_days: int = Field(default=7, ge=1, le=365)

    @model_validator(mode="before")
    @classmethod
    def _live_in_the_data_dir(cls, values: dict[str, Any]) -> dict[str, Any]:
        data = Path(values.get("data_dir", "data")).absolute()
        return {
            "log_url": f"sqlite:///{data}/log.db",
            "clickhouse_url": f"chdb://{quote(str(data))}/clickhouse",
            **values,
        }

    @model_validator(mode="after")
    def _secrets_are_shared_when_distributed(self) -> "Settings":
        if not self.embedded:
            for name in ("master_keys", "account_key"):
                if not getattr(self, name):
                    raise ValueError(f"{name} must be set: every service needs the same")
        return self

    @model_validator(mode="after")
    def _a_password_is_sent_to_trusted_brokers_only(self) -> "Settings":
        for name in ("log_ca_file", "log_username", "log_password"):
            if getattr(self, name) is not None and not self.log_url.startswith("kafka+tls:"):
                raise ValueError(f"{name} is for a log of kafka+tls:// only")
        if self.log_username is not None and self.log_password is None:
            raise ValueError("log_password must be set: that of the user of the log")
        if self.log_password is not None and self.log_username is None:
            raise ValueError("log_username must be set: whose password it is")
        return self

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> "Settings":
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError("mail_from must be set: mail is sent in its name")
        return self

    @property
    def embedded(self) -> bool:
        """Log and read model are files of this process: its keys may be files as well."""
        return self.log_url.startswith("sqlite:") and self.clickhouse_url.get_secret_value().startswith("chdb:")

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def load() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: a setting is unknown, wrong, or missing.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings(**_from_files(os.environ))
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name not in known:
            raise SettingsError(f"{name}: there is no such setting")
    for name in sorted(SECRETS):
        setting = PREFIX + name.upper()
        if environment.get(setting) and environment.get(f"{setting}_FILE"):
            raise SettingsError(f"{setting}: given twice, directly and as {setting}_FILE")


def _from_files(environment: Mapping[str, str]) -> dict[str, Any]:
    """Secrets from the files that `…_FILE` names, without the last line break."""
    values: dict[str, Any] = {}
    for name in SECRETS:
        setting = f"{PREFIX}{name.upper()}_FILE"
        if path := environment.get(setting):
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise SettingsError(f"{setting}: the file can't be read") from None
    return values


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    what = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # a rule about several settings: its sentence begins with the name of one
        name, _, what = what.partition(" ")
        return f"{PREFIX}{name.upper()}: {what}"
    return f"{PREFIX}{str(first['loc'][0]).upper()}: {what}"
