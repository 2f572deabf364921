"""What a session asks of its window, written down."""

from __future__ import annotations

from curator.session.requests import Requests


def recorded(requests: Requests) -> list[tuple[object, ...]]:
    """Return a list that gets the name of each request from now on, with its arguments."""
    made: list[tuple[object, ...]] = []

    def record(name: str) -> None:
        getattr(requests, f"{name}_requested").connect(lambda *about: made.append((name, *about)))

    for signal in vars(Requests):
        if signal.endswith("_requested"):
            record(signal.removesuffix("_requested"))
    return made
