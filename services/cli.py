"""`mailtide`: one command for everything that is started by hand."""

import sys
from typing import NoReturn

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def mailtide() -> None:
    """Moves a mailbox from one IMAP account to another, exactly once, and shows every moment of it live."""


@app.command()
def up() -> None:
    """Run Mailtide in one process: api, scanner, copier and aggregator."""
    from libs.runtime import logs, process, settings
    from services.embedded import up as run_embedded

    logs.configure()
    try:
        loaded = settings.load()
    except settings.SettingsError as error:
        _refuse(str(error))
    process.run(lambda stop: run_embedded(loaded, stop))


@app.command()
def watch(url: str) -> None:
    """Show a job live in the terminal. Status 0: every message is at the destination."""
    from rich.console import Console

    from libs.contracts.jobs import JobState
    from services.watch import watch as watch_job

    raise typer.Exit(0 if watch_job(url, Console()) is JobState.COMPLETED else 1)


@app.command()
def demo() -> None:
    """Move a sample mailbox between two throwaway accounts and watch it."""
    from services.demo.demo import main as run_demo

    raise typer.Exit(run_demo())


def main() -> None:
    app()


def _refuse(line: str) -> NoReturn:
    print(line, file=sys.stderr)  # noqa: T201
    raise typer.Exit(2)


if __name__ == "__main__":
    main()
