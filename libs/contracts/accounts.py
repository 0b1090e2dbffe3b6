"""An IMAP account as a person gives it, and the digest that stands for it in the log."""

import hashlib
import hmac
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from libs.contracts.ids import AccountDigest

Security = Literal["tls", "starttls", "plain"]
Side = Literal["source", "destination"]

HostName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[^\s/@\x00-\x1f]+$")
]


class OAuth(BaseModel):
    """An access token (RFC 7628), and what is needed to refresh it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None


class Account(BaseModel):
    """Where a mailbox is and how to log in. Secrets never show in a repr or a log line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: HostName
    port: int = Field(default=993, ge=1, le=65535)
    security: Security = "tls"
    username: Annotated[str, StringConstraints(min_length=1, max_length=512)] = Field(repr=False)
    password: SecretStr | None = None
    oauth: OAuth | None = None
    login_as: str | None = Field(default=None, min_length=1, max_length=512, repr=False)

    @model_validator(mode="after")
    def one_way_to_log_in(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise PydanticCustomError("one_way_to_log_in", "Give either password or oauth, and not both.")
        return self


def account_digest(key: bytes, account: Account) -> AccountDigest:
    """A keyed digest of host and user, without letter case (COPYING rule 5).

    Port, security and login_as are left out: the same mailbox reached in
    another way is the same mailbox.
    """
    name = f"{account.host.casefold()}\0{account.username.casefold()}"
    return AccountDigest(hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32])


def folder_digest(key: bytes, account: AccountDigest, destination_name: str) -> str:
    """A keyed digest of one destination folder of one account: what a claim is about."""
    return hmac.new(key, f"{account}\0{destination_name}".encode(), hashlib.sha256).hexdigest()[:32]
