"""The command that serves the HTTP API and the board."""

from __future__ import annotations

from typing import Annotated

import typer

from backstop.cli.running import deployments
from backstop.settings import Settings

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on; BACKSTOP_API_HOST by default.")]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; BACKSTOP_API_PORT by default.")
]


def serve(host: Host = None, port: Port = None) -> None:
    """Serve slates, players, props, live updates and the board over HTTP."""
    settings = Settings()
    given = {"api_host": host, "api_port": port}
    changed = {name: value for name, value in given.items() if value is not None}
    deployments("api").serve(settings.model_copy(update=changed))
