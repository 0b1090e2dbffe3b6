"""The console command `mailtide`. Each command loads its own part: `watch` needs no database."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from libs.runtime.settings import Settings

app = typer.Typer(
    name="mailtide",
    help="Moves a mailbox from one IMAP account to another, exactly once, and shows every moment of it live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show the values of variables
)

admin = typer.Typer(
    help="What an operator does now and then.",
    no_args_is_help=True,
    # What libraries log may hold addresses; without any handler it would stand on the terminal.
    callback=lambda: logging.getLogger().addHandler(logging.NullHandler()),
)
app.add_typer(admin, name="admin")


@app.command()
def up() -> None:
    """Run Mailtide in one process. Settings come from the environment (docs/settings.md)."""
    _run("up")


@app.command()
def api() -> None:
    """Run the HTTP API on Kafka and ClickHouse."""
    _run("api")


@app.command()
def scanner() -> None:
    """Run a scanner on Kafka and ClickHouse."""
    _run("scanner")


@app.command()
def copier() -> None:
    """Run a copier on Kafka and ClickHouse."""
    _run("copier")


@app.command()
def aggregator() -> None:
    """Run an aggregator on Kafka and ClickHouse."""
    _run("aggregator")


@admin.command()
def topics(
    replicas: Annotated[
        int, typer.Option(min=1, help="Copies of each partition; of several, two must be written to confirm an append.")
    ] = 3,
) -> None:
    """Make the topics that are missing on Kafka and check the others. The status is 0 when all are right."""
    from libs.eventlog.brokers import brokers_of
    from libs.eventlog.kafka_topics import make_topics
    from libs.eventlog.port import LogRefused, LogUnavailable
    from libs.runtime.service import access

    settings = _settings()
    try:
        brokers = brokers_of(settings.log_url, access(settings))
        found = make_topics(brokers, timedelta(days=settings.retention_days), replicas)
    except LogRefused as error:
        typer.echo(f"mailtide: MAILTIDE_{error.setting}: {error}", err=True)
        raise typer.Exit(2) from None
    except LogUnavailable as error:
        typer.echo(f"mailtide: MAILTIDE_LOG_URL: {error}", err=True)
        raise typer.Exit(2) from None
    for name, wrong in found:
        typer.echo(f"{name}: {'; '.join(wrong) or 'right'}")
    raise typer.Exit(1 if any(wrong for _, wrong in found) else 0)


@admin.command()
def rotate() -> None:
    """Seal what is held anew with the newest of MAILTIDE_MASTER_KEYS; then drop the others (docs/operations.md)."""
    from libs.runtime import keys
    from libs.runtime.service import CannotStart, open_read_model
    from libs.vault.rotation import rotate

    settings = _settings()
    try:
        read_model = open_read_model(settings)
    except CannotStart as error:
        typer.echo(f"mailtide: {error}", err=True)
        raise typer.Exit(2) from None
    done = rotate(read_model, keys.master_keys(settings))
    read_model.close()
    for what, each in (("credentials", done["vault"]), ("addresses to tell", done["notifications"])):
        typer.echo(f"{what}: {each.renewed} sealed anew, {each.broken} open with none of these keys")
    raise typer.Exit(1 if any(each.broken for each in done.values()) else 0)


def _settings() -> "Settings":
    from libs.runtime import settings

    try:
        return settings.load()
    except settings.SettingsError as error:
        typer.echo(f"mailtide: {error}", err=True)
        raise typer.Exit(2) from None


def _run(service: str) -> None:
    """Does not return. Each image has the libraries of its own service alone."""
    from libs.runtime import logs

    settings = _settings()
    logs.configure()
    match service:
        case "api":
            from services.api.__main__ import main as run
        case "scanner":
            from services.scanner.__main__ import main as run
        case "copier":
            from services.copier.__main__ import main as run
        case "aggregator":
            from services.aggregator.__main__ import main as run
        case _:
            from services.embedded import main as run
    run(settings)


@app.command()
def watch(url: str) -> None:
    """Follow a migration live. URL is the address of its page; the status is 0 when everything was copied."""
    from rich.console import Console

    from libs.contracts.jobs import JobState
    from services.watch import WatchFailed
    from services.watch import watch as follow

    try:
        state = follow(url, Console())
    except WatchFailed as error:
        typer.echo(f"mailtide: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(0 if state is JobState.COMPLETED else 1)


@app.command()
def demo() -> None:
    """Move a sample mailbox between two throwaway accounts and watch it."""
    from services.demo.demo import main

    raise typer.Exit(main())


def main() -> None:
    app()


if __name__ == "__main__":
    main()
