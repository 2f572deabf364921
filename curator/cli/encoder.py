"""The verb about the encoder: which one analyzes photos, and downloading CLIP."""

from __future__ import annotations

from typing import Any

from curator.cli.invocation import Invocation
from curator.cli.output import columns, size
from curator.cli.progress import bar
from curator.model import KnownError, counted

_LOOK_S = 0.25


def encoder(invocation: Invocation) -> None:
    """Show which encoder analyzes photos, and why; or download CLIP.

    Raises:
        UsageError: nobody is there to say yes, and ``--yes`` was not given.
        KnownError: it is not allowed, there is no room, or the hub cannot be reached; what has
            come is kept for the next try.
    """
    if invocation.arguments.act == "download":
        _download(invocation)
    else:
        _show(invocation)


def _show(invocation: Invocation) -> None:
    from curator.encoders import ENCODERS, available, encoder_options, select_encoder

    encoding = select_encoder(invocation.home, invocation.settings)
    lacks = available(encoder_options(invocation.home, invocation.settings))
    seen = invocation.catalog.vectors.encoders()
    document: dict[str, Any] = {
        "encoder": encoding.recipe.name if encoding.recipe else None,
        "weights": encoding.recipe.key if encoding.recipe else None,
        "sentence": encoding.sentence,
        "available": lacks,
        "vectors": seen,
    }
    lines = columns([(kind.name, kind.title, lacks[kind.name] or "installed") for kind in ENCODERS])
    lines += [f"{counted(count, 'photo')} analyzed with {key}." for key, count in seen.items()]
    if lacks["open_clip"] is not None and encoding.recipe is not None:
        lines.append("`curator encoder download` fetches CLIP's weights.")
    invocation.output.answer(document, [encoding.sentence, *lines])


def _download(invocation: Invocation) -> None:
    from curator.encoders import DownloadJob, download_plan, encoder_options, weights_file

    told = encoder_options(invocation.home, invocation.settings)
    plan = download_plan(told)
    here = weights_file(told)
    if here is not None:
        invocation.output.answer({"path": here, "bytes": 0}, [f"{plan.title} is here: {here}"])
        return
    if not invocation.agreed(plan.sentence, "Nothing was downloaded."):
        return
    invocation.home.make()
    fetch = DownloadJob(plan)
    fetch.start()
    try:
        with bar(f"Downloading {plan.title}, MB") as advance:
            while not fetch.wait(_LOOK_S):
                done, total = fetch.progress
                advance(done // 1_000_000, (total or 0) // 1_000_000, "")
    finally:
        fetch.cancel()  # Ctrl+C too: the process ends, and what came stays
        fetch.wait()
    if fetch.error is not None:
        raise fetch.error
    if fetch.path is None:
        raise KnownError("The download was stopped.", "The next download continues from here.")
    weight = fetch.path.stat().st_size
    lines = [
        f"{plan.title} is here: {fetch.path}, {size(weight)}.",
        "Photos are analyzed with it from the next run on.",
    ]
    invocation.output.answer({"path": fetch.path, "bytes": weight}, lines)
