"""The entry point: registers the commands, turns errors into one sentence and an exit code."""

from __future__ import annotations

import os
import sys

import typer
from pydantic import ValidationError
from rich.console import Console

from backstop import __version__
from backstop.cli import feeds, grading, keeping, operating, reading, running
from backstop.errors import BackstopError
from backstop.stages.house import House

INTERRUPTED = 130
"""What a shell, and typer, makes of Ctrl-C."""

app = typer.Typer(
    name="backstop",
    help="Player features and player-prop projections in Redis: fetched, validated, as of the cutoff, published whole.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("refresh")(running.refresh)
app.command("features")(grading.features)
app.command("backtest")(grading.backtest)
app.command("grade")(grading.grade)
app.command("refit")(grading.refit)
app.command("fetch")(feeds.fetch)
app.command("sources")(feeds.sources)
app.command("plan")(feeds.plan)
app.command("backfill")(operating.backfill)
app.command("status")(operating.status)
app.command("rollback")(operating.rollback)
app.command("deploy")(operating.deploy)
app.command("serve")(running.serve)
app.command("stop")(running.stop)
app.command("upstream")(running.upstream)
app.command("slate")(reading.slate)
app.command("player")(reading.player)


app.add_typer(keeping.redis, name="redis")
app.add_typer(keeping.quarantine, name="quarantine")
app.add_typer(keeping.versions, name="versions")


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run a command; every failure that was foreseen ends in a sentence and an exit code, never in a traceback."""
    complaints = Console(stderr=True)
    try:
        app()
    except BackstopError as error:
        _complain(complaints, error.message)
        sys.exit(error.exit_code)
    except ValidationError as error:
        wrong = "; ".join(
            f"BACKSTOP_{str(each['loc'][0]).upper()}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        _complain(complaints, f"The settings cannot be read: {wrong}.")
        sys.exit(2)
    except UnicodeDecodeError as error:
        _complain(complaints, f"What should be text is none ({error}). Settings, those of `.env` too, must be UTF-8.")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)  # whoever reads, `head` for one, has seen enough
    except OSError as error:
        _complain(complaints, _refused(error))
        sys.exit(1)
    except SystemExit as end:
        # typer and rich make an exit of Ctrl-C and of a closed pipe before they reach this place
        if isinstance(end.__context__, BrokenPipeError):
            sys.exit(0)
        if end.code == INTERRUPTED:
            complaints.print("Interrupted; what was finished is kept, the next run does the rest.")
        elif end.code == 1 and isinstance(end.__context__, OSError):
            _complain(complaints, _refused(end.__context__))
        raise
    finally:
        House.close_all()
        _let_go_of_output()


def _refused(error: OSError) -> str:
    """Say what the operating system refused: a file by its name, otherwise the output of this command."""
    why = error.strerror or str(error)
    if error.filename is not None:
        return f"{str(error.filename)!r} cannot be used: {why}. Check the path and its rights, then run again."
    return f"The output cannot be written: {why}. Check where it goes, then run again."


def _let_go_of_output() -> None:
    """Point standard output elsewhere when it takes nothing: the interpreter would fail on it once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _complain(console: Console, sentence: str) -> None:
    """Print a sentence in red as it is: it may quote brackets, which are no markup."""
    console.print(sentence, style="red", markup=False, soft_wrap=True, highlight=False)
