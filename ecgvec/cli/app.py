"""The list of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from ecgvec._version import __version__
from ecgvec.cli import batch, generate, inspect, train, verify
from ecgvec.cli.flags import ALL_FLAGS

# Underscores and hyphens are the same in long option names: --hw_text and --hw-text.
SETTINGS = {"help_option_names": ["-h", "--help"], "token_normalize_func": lambda token: token.replace("_", "-")}


def _options_by_group() -> str:
    """All flags of ``batch`` and ``single`` with their defaults, group by group, for the foot of the main help."""
    groups: dict[str, list[str]] = {}
    for flag in ALL_FLAGS:
        unit = f" {flag.metavar}" if flag.metavar else ""
        groups.setdefault(flag.group, []).append(f"`{flag.long_name}{unit}` ({flag.shown})")
    lines = [f"**{group}:** {', '.join(flags)}" for group, flags in groups.items()]
    return "\n\n".join(["Options of `batch` and `single`, with their defaults:", *lines])


app = typer.Typer(
    epilog=_options_by_group(),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings=SETTINGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ecgvec {__version__}")
        raise typer.Exit


@app.callback()
def common(
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Pictures of paper ECGs, as exact vectors and as pixels, with labels that are exactly true.

    `ecgvec batch -i DIR -o DIR` draws a folder of WFDB records, `ecgvec single` draws one. `ecgvec demo` needs nothing.
    """


_MAIN, _LOOK, _MAKE = "Generate", "Inspect", "Train"
app.command(context_settings=SETTINGS, rich_help_panel=_MAIN)(batch.command)
app.command(context_settings=SETTINGS, rich_help_panel=_MAIN)(generate.single_command)
app.command(context_settings=SETTINGS, rich_help_panel=_MAIN)(generate.replay)
app.command(context_settings=SETTINGS, rich_help_panel=_MAIN)(generate.demo)
app.command(context_settings=SETTINGS, rich_help_panel=_MAIN)(generate.write)
app.add_typer(inspect.recipes_app, name="recipes", rich_help_panel=_LOOK)
app.command(context_settings=SETTINGS, rich_help_panel=_LOOK)(inspect.templates)
app.command(context_settings=SETTINGS, rich_help_panel=_LOOK)(inspect.inspect)
app.command(context_settings=SETTINGS, rich_help_panel=_LOOK)(inspect.gallery)
app.command(context_settings=SETTINGS, rich_help_panel=_LOOK)(verify.verify)
app.command(context_settings=SETTINGS, rich_help_panel=_LOOK)(inspect.keywords)
app.add_typer(train.app, name="train", rich_help_panel=_MAKE)
