"""``edge-asd notify``: a test message to each URL, here and now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.common import JsonOption, note, print_json, table
from edge_asd.errors import ConfigError

_ADVICE = (
    "Check the URL against https://github.com/caronc/apprise/wiki, whether the service takes messages, and the network."
)


def command(
    urls: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL]...",
            help="Apprise URLs, such as ntfy://topic; by default those in the environment variable "
            "EDGE_ASD_NOTIFY_URLS, between spaces, where other users of this computer cannot see them.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Test the URLs of the monitor's configuration instead.")
    ] = None,
    timeout: Annotated[int, typer.Option(min=1, max=600, help="Seconds that a service may take.")] = 30,
    json: JsonOption = False,
) -> None:
    """Send a test message to each notification URL, and tell which arrived.

    URLs hold passwords: none is printed. Exit code 1 if one failed. Needs: pip install 'edge-asd[notify]'
    """
    from edge_asd.notify.settings import check_urls, urls_from_environment

    if config is not None:
        if urls:
            raise typer.BadParameter("give either URLs or --config")
        from edge_asd.monitor.config.reading import load_config

        chosen = load_config(config).notify.urls
        if not chosen:
            raise ConfigError(f"{config} names no notification URLs. Add urls or urls_file to its table [notify].")
    else:
        chosen = tuple(urls or urls_from_environment())
    if not chosen:
        raise typer.BadParameter("give URLs or --config, or set EDGE_ASD_NOTIFY_URLS")
    try:
        check_urls(chosen)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    results = _results(chosen, timeout)
    failed = [result for result in results if not result["delivered"]]
    if json:
        print_json({"urls": results})
    else:
        rows = [
            [str(r["number"]), r["url"], "delivered" if r["delivered"] else f"FAILED: {r['reason']}"] for r in results
        ]
        print(table(["number", "URL", "test message"], rows))
    if failed:
        note(f"Test messages that failed: {len(failed)} of {len(results)}. {_ADVICE}")
        raise typer.Exit(1)


def _results(urls: tuple[str, ...], timeout: int) -> list[dict[str, Any]]:
    import socket
    from datetime import datetime

    from edge_asd.notify.addresses import masked
    from edge_asd.notify.sender import Sender
    from edge_asd.notify.wording import trial_message

    message = trial_message(socket.gethostname(), datetime.now().astimezone())
    results = []
    for number, url in enumerate(urls, 1):
        reason = Sender(url, timeout).send(message)
        results.append({"number": number, "url": masked(url), "delivered": reason is None, "reason": reason})
    return results
