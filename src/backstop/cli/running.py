"""Commands that run flows or servers.

The flows live in a checkout or an image beside the library, which does not import them: they are looked up by name.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Annotated

import typer

from backstop.clock import parse_day
from backstop.errors import ConfigurationError
from backstop.settings import Settings

Upstream = Annotated[
    str | None,
    typer.Option(
        "--upstream", help="live, demo, recorded:DIR, replay:DIR or http://...; BACKSTOP_UPSTREAM by default."
    ),
]

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on; BACKSTOP_API_HOST by default.")]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; BACKSTOP_API_PORT by default.")
]


def refresh(
    date: Annotated[str | None, typer.Argument(help="Baseball day, YYYY-MM-DD; today's by default.")] = None,
    upstream: Upstream = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the servers running for inspection.")] = False,
) -> None:
    """Refresh one day's slate: fetch what is missing, validate, project, price, publish."""
    day = parse_day(date) if date else None
    settings = Settings() if upstream is None else Settings(upstream=upstream)
    deployments("local").refresh(day, settings, keep=keep)


def stop() -> None:
    """Stop the servers that `--keep` left running."""
    deployments("local").stop(Settings())


def serve(host: Host = None, port: Port = None) -> None:
    """Serve slates, players, props, live updates and the board over HTTP."""
    settings = Settings()
    given = {"api_host": host, "api_port": port}
    changed = {name: value for name, value in given.items() if value is not None}
    deployments("api").serve(settings.model_copy(update=changed))


def upstream(
    source: Annotated[str, typer.Argument(help="demo or recorded:DIR.")] = "demo",
    faults: Annotated[str | None, typer.Option("--faults", help="A named scenario, e.g. storm.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Loopback port; 0 picks a free one.")] = 8765,
) -> None:
    """Serve a simulated league, or recordings, in the formats of the real feeds, with faults on demand."""
    from backstop.demo import serve

    hint = (
        "In another terminal: backstop fetch savant 2025-04-01 2025-04-07 --upstream ADDRESS. Ctrl-C ends the server."
    )
    typer.echo(hint, err=True)
    arguments = [source, "--port", str(port), *(["--faults", faults] if faults else [])]
    raise typer.Exit(serve.main(arguments))


def deployments(name: str) -> ModuleType:
    """Return a module of the checkout's `deployments` package.

    Raises:
        ConfigurationError: this is an installation without the flows.
    """
    try:
        return importlib.import_module(f"deployments.{name}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("deployments"):
            raise
        raise ConfigurationError(
            "The flows are not installed here: the package holds the library only. Run this command from a checkout "
            "(make run sets it up) or in Backstop's image."
        ) from error
