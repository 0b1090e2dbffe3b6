import os
import re
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from libs.runtime import keys, settings
from libs.runtime.settings import Settings, SettingsError

DOCS = Path(__file__).parents[2] / "docs/settings.md"
SECRET = "correct-horse-battery-staple"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("MAILTIDE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MAILTIDE_DATA_DIR", str(tmp_path / "data"))
    return monkeypatch


def test_without_any_setting_it_is_embedded_and_keeps_everything_in_the_data_directory(environment, tmp_path):
    loaded = settings.load()

    assert loaded.embedded
    assert loaded.log_url == f"sqlite:///{tmp_path}/data/log.db"
    assert loaded.clickhouse_url.get_secret_value() == f"chdb://{tmp_path}/data/clickhouse"
    assert loaded.address == ("127.0.0.1", 8025)
    assert loaded.allow_ports == (143, 993)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "localhost"),
        ("LISTEN", "localhost:99999"),
        ("PUBLIC_URL", "no url"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,ingress"),
        ("TRUSTED_PROXIES", "*"),
        ("LOG_URL", "mysql://elsewhere"),
        ("LOG_CA_FILE", "/there/is/none"),
        ("LOG_PASSWORD", SECRET),
        ("LOG_USERNAME", "mailtide"),
        ("CLICKHOUSE_URL", f"postgres://me:{SECRET}@elsewhere"),
        ("MASTER_KEYS", SECRET),
        ("ACCOUNT_KEY", "short"),
        ("OPERATOR_TOKEN", "short"),
        ("SMTP_URL", f"http://me:{SECRET}@elsewhere"),
        ("SMTP_URL", f"smtp://me:{SECRET}@"),
        ("SMTP_URL", f"smtp://me:{SECRET}@elsewhere:99999"),
        ("MAIL_FROM", "nobody"),
        ("LATE_COMMIT_SECONDS", "-1"),
        ("ALLOW_NETWORKS", "10.0.0.0/33"),
        ("ALLOW_PORTS", "993,imap"),
        ("ALLOW_PORTS", "0"),
        ("ALLOW_PLAIN", "perhaps"),
        ("TLS_CA_FILE", "/there/is/none"),
        ("COPIER_THREADS", "0"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAY", "7"),
        ("OPERATOR_TOKEN_FILE", "/there/is/none"),
        ("LISTEN_FILE", "/there/is/none"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_without_its_value(environment, name, value):
    environment.setenv(f"MAILTIDE_{name}", value)

    with pytest.raises(SettingsError) as caught:
        settings.load()

    line = str(caught.value)
    assert line.startswith(f"MAILTIDE_{name}: ")
    assert "\n" not in line
    assert value not in line.removeprefix(f"MAILTIDE_{name}: ")


def test_a_secret_is_also_read_from_a_file(environment, tmp_path):
    key = Fernet.generate_key().decode()
    (tmp_path / "keys").write_text(key + "\n")
    environment.setenv("MAILTIDE_MASTER_KEYS_FILE", str(tmp_path / "keys"))

    assert keys.master_keys(settings.load()) == [key]


def test_a_secret_given_twice_is_refused(environment, tmp_path):
    (tmp_path / "token").write_text(SECRET)
    environment.setenv("MAILTIDE_OPERATOR_TOKEN_FILE", str(tmp_path / "token"))
    environment.setenv("MAILTIDE_OPERATOR_TOKEN", SECRET)

    with pytest.raises(SettingsError, match="MAILTIDE_OPERATOR_TOKEN: given twice"):
        settings.load()


@pytest.mark.parametrize("missing", ["MASTER_KEYS", "ACCOUNT_KEY"])
def test_keys_must_be_given_when_several_processes_share_the_stores(environment, missing):
    environment.setenv("MAILTIDE_LOG_URL", "kafka://broker:9092")
    environment.setenv("MAILTIDE_MASTER_KEYS", Fernet.generate_key().decode())
    environment.setenv("MAILTIDE_ACCOUNT_KEY", SECRET)
    environment.delenv(f"MAILTIDE_{missing}")

    with pytest.raises(SettingsError, match=f"MAILTIDE_{missing}: must be set"):
        settings.load()


def test_secrets_do_not_show_when_settings_are_printed(environment):
    environment.setenv("MAILTIDE_OPERATOR_TOKEN", SECRET)
    environment.setenv("MAILTIDE_CLICKHOUSE_URL", f"https://me:{SECRET}@clickhouse:8443/mailtide")
    environment.setenv("MAILTIDE_ACCOUNT_KEY", SECRET)
    environment.setenv("MAILTIDE_MASTER_KEYS", Fernet.generate_key().decode())

    assert SECRET not in repr(settings.load())


def test_generated_keys_stay_the_same_and_are_readable_by_the_owner_only(tmp_path):
    embedded = Settings(data_dir=tmp_path / "data")

    assert keys.master_keys(embedded) == keys.master_keys(embedded)
    assert keys.account_key(embedded) == keys.account_key(embedded)
    assert {file.name for file in (tmp_path / "data").iterdir()} == {"master.key", "account.key"}
    for file in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_every_setting_is_documented_and_nothing_else_is():
    documented = set(re.findall(r"^\| `MAILTIDE_(\w+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE))

    assert documented == {name.upper() for name in Settings.model_fields}


def test_the_documentation_marks_exactly_the_secrets():
    marked = set(re.findall(r"^\| `MAILTIDE_(\w+)` \*secret\*", DOCS.read_text(encoding="utf-8"), re.MULTILINE))

    assert marked == {name.upper() for name in settings.SECRETS}


def test_the_log_s_user_has_a_password_and_it_is_sent_over_tls_only(environment):
    for name, value in {"MASTER_KEYS": Fernet.generate_key().decode(), "ACCOUNT_KEY": SECRET}.items():
        environment.setenv(f"MAILTIDE_{name}", value)
    environment.setenv("MAILTIDE_LOG_URL", "kafka+tls://broker:9093")
    environment.setenv("MAILTIDE_LOG_USERNAME", "mailtide")
    with pytest.raises(SettingsError, match=r"^MAILTIDE_LOG_PASSWORD: must be set"):
        settings.load()

    environment.setenv("MAILTIDE_LOG_PASSWORD", SECRET)
    assert settings.load().log_username == "mailtide"
    environment.delenv("MAILTIDE_LOG_USERNAME")
    with pytest.raises(SettingsError, match=r"^MAILTIDE_LOG_USERNAME: must be set"):
        settings.load()

    environment.setenv("MAILTIDE_LOG_USERNAME", "mailtide")
    environment.setenv("MAILTIDE_LOG_URL", "kafka://broker:9092")
    with pytest.raises(SettingsError, match=r"^MAILTIDE_LOG_USERNAME: is for a log of kafka\+tls:// only"):
        settings.load()


def test_nobody_but_this_machine_says_for_whom_it_asks_unless_told(environment):
    assert [str(network) for network in settings.load().trusted_proxies] == ["127.0.0.0/8", "::1/128"]

    environment.setenv("MAILTIDE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7, fc00::/7")
    assert [str(network) for network in settings.load().trusted_proxies] == ["10.0.0.0/8", "192.0.2.7/32", "fc00::/7"]


def test_mail_needs_a_sender(environment):
    environment.setenv("MAILTIDE_SMTP_URL", f"smtp://me:{SECRET}@elsewhere:587")
    with pytest.raises(SettingsError, match=r"^MAILTIDE_MAIL_FROM: must be set"):
        settings.load()

    environment.setenv("MAILTIDE_MAIL_FROM", "Mailtide <move@example.org>")
    assert settings.load().mail_from == "Mailtide <move@example.org>"
