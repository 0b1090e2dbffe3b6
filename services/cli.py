"""The console command `mailtide`. Each command loads its own part: `watch` needs no database."""

import typer

app = typer.Typer(
    name="mailtide",
    help="Moves a mailbox from one IMAP account to another, exactly once, and shows every moment of it live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show the values of variables
)


@app.command()
def up() -> None:
    """Run Mailtide in one process. Settings come from the environment (docs/settings.md)."""
    from libs.runtime import logs, settings
    from services import embedded

    try:
        loaded = settings.load()
    except settings.SettingsError as error:
        typer.echo(f"mailtide: {error}", err=True)
        raise typer.Exit(2) from None
    logs.configure()
    embedded.main(loaded)


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
