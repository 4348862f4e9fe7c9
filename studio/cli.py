"""The command line: reads arguments, calls the core, prints; opening the app is its default."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from studio import __version__
from studio.commands import (
    assistant,
    bundle,
    chat,
    chat_template,
    chats,
    columns,
    compare,
    convert,
    data,
    documents,
    duplicates,
    generate,
    judge,
    lint,
    machine,
    origins,
    parity,
    problems,
    projects,
    quantize,
    recipe,
    runs,
    search,
    serve,
    tasks,
    template,
    training,
    vary,
)
from studio.errors import StudioError


class OpensByDefault(click.Group):
    """A command group in which a word that is no command is the folder to open."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take `studio DIR` for `studio open DIR`; a mistyped command is still a mistake."""
        if self.get_command(ctx, args[0]) is None and _looks_like_folder(args[0]):
            return "open", open_app, args
        return super().resolve_command(ctx, args)


def _looks_like_folder(word: str) -> bool:
    return os.sep in word or word in (".", "..", "~") or Path(word).exists()


@click.group(cls=OpensByDefault, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="studio")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """From raw data to a fine-tuned model that you trust, in the terminal.

    `studio [DIR]` opens the app on a project folder (default: the current one).
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(open_app)


@click.command("open", hidden=True)
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def open_app(folder: Path) -> None:
    """Open the app on a project folder."""
    launch_app(folder)


def launch_app(folder: Path) -> None:
    """Open the app; ends the process with its exit status."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise StudioError(
            "The app needs a terminal.", "Use the commands instead (`studio --help`), or run it in a terminal."
        )
    from screens.app import run_app

    sys.exit(run_app(folder))


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path), default="studio-demo")
@click.option("--no-open", is_flag=True, help="Only make the project.")
def demo(folder: Path, no_open: bool) -> None:
    """Make the demo project if it is absent, and open it."""
    projects.make_demo(folder)
    if not no_open:
        launch_app(folder)


cli.add_command(open_app)
cli.add_command(demo)
for _module in (
    projects,
    data,
    compare,
    tasks,
    search,
    columns,
    problems,
    duplicates,
    lint,
    chat_template,
    template,
    training,
    runs,
    recipe,
    bundle,
    chat,
    chats,
    assistant,
    parity,
    convert,
    quantize,
    serve,
    documents,
    origins,
    generate,
    vary,
    judge,
    machine,
):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed with one sentence, 2 wrong usage."""
    try:
        status: Any = cli.main(arguments, prog_name="studio", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except StudioError as error:
        click.echo(f"studio: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
