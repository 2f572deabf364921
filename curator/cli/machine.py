"""Verbs about this installation: the log, the settings, the keys and the encoder."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from curator.cli.invocation import Invocation, check_searches, nested
from curator.cli.output import bar, columns, size, tail
from curator.model import KnownError, UsageError, counted
from curator.private import mask_secrets
from curator.settings import Settings, save

_CHECK_S = 0.25  # how often the progress of a download is shown


def logs(invocation: Invocation) -> None:
    """Show the end of the log."""
    lines = tail(invocation.home.log, invocation.arguments.lines)
    document = {"path": invocation.home.log, "lines": lines}
    invocation.output.answer(document, lines or [f"Nothing in {invocation.home.log} yet."])


def settings(invocation: Invocation) -> None:
    """List all settings, or change some.

    Raises:
        UsageError: no such name, or the value is out of range; nothing was saved.
    """
    if invocation.arguments.changes:
        _change(invocation)
    rows: list[dict[str, Any]] = []
    for section, field, title, default in every_setting():
        value = getattr(getattr(invocation.settings, section), field)
        value = mask_secrets(value) if isinstance(value, str) else value
        name = f"{section}.{field}"
        variable = environment_variable(name)
        rows.append(
            {"name": name, "value": value, "default": default, "title": title, "env": variable}
        )
    lines = columns([(row["name"], str(row["value"]), row["title"]) for row in rows])
    invocation.output.answer({row["name"]: row for row in rows}, lines)


def _change(invocation: Invocation) -> None:
    invocation.home.make()
    saved = Settings.load(invocation.home)  # without the --set of this run
    for section, fields in nested(invocation.arguments.changes).items():
        for field, value in fields.items():
            try:
                setattr(getattr(saved, section), field, value)
            except ValidationError as error:
                first = error.errors()[0]
                raise UsageError(f"{section}.{field}: {first['msg']} (got {value!r}).") from error
    check_searches(saved)
    save(saved, invocation.home)
    invocation.__dict__.pop("settings", None)  # read them again
    if invocation.home.catalog.exists():
        invocation.catalog.faces.switch(invocation.settings.faces.on)


def keys(invocation: Invocation) -> None:
    """List your keys, or the keys of a preset.

    A keys file that cannot be used is reported on stderr.

    Raises:
        UsageError: there is no such preset.
    """
    from curator.commands import COMMANDS
    from curator.keyboard import PRESETS, Keyboard, keys_file, load_for_home

    chosen = invocation.arguments.preset
    if chosen is not None and chosen not in PRESETS:
        raise UsageError(f"Preset {chosen} not found.", f"Choose one of {', '.join(PRESETS)}.")
    keyboard, refused = (Keyboard(chosen), "") if chosen else load_for_home(invocation.home)
    if refused:
        invocation.output.note(refused)
    document = {
        "preset": keyboard.preset,
        "file": keys_file(invocation.home),
        "refused": refused or None,
        "keys": {name: list(keyboard.keys_of(name)) for name in COMMANDS},
    }
    rows = [
        (name, "  ".join(keyboard.keys_of(name)), command.help.splitlines()[0])
        for name, command in COMMANDS.items()
    ]
    invocation.output.answer(document, columns(rows))


def every_setting() -> list[tuple[str, str, str, object]]:
    """List (section, field, title, default) of every setting, in the order of the models."""
    found = []
    for section, group in Settings.model_fields.items():
        for field, info in getattr(group.annotation, "model_fields", {}).items():
            title = f"{info.title}. {info.description}" if info.description else info.title
            found.append((section, field, str(title), info.default))
    return found


def environment_variable(setting: str) -> str:
    """Return the environment variable of a setting: ``CURATOR_WORK__WORKERS``."""
    return f"CURATOR_{setting.replace('.', '__').upper()}"


def encoder(invocation: Invocation) -> None:
    """Show which encoder analyzes photos, or download CLIP.

    Raises:
        UsageError: there is no terminal to ask on, and ``--yes`` was not given.
        KnownError: downloads are off in the settings, the disk is full, or the hub cannot be
            reached; the next download continues with what has arrived.
    """
    if invocation.arguments.act == "download":
        _download(invocation)
    else:
        _show_encoder(invocation)


def _show_encoder(invocation: Invocation) -> None:
    from curator.encoders import ENCODERS, encoder_options, missing_by_encoder, select_encoder
    from curator.encoders.options import missing_package

    encoding = select_encoder(invocation.home, invocation.settings)
    missing = missing_by_encoder(encoder_options(invocation.home, invocation.settings))
    analyzed = invocation.catalog.vectors.encoders()
    document: dict[str, Any] = {
        "encoder": encoding.recipe.name if encoding.recipe else None,
        "weights": encoding.recipe.key if encoding.recipe else None,
        "sentence": encoding.sentence,
        "available": missing,
        "vectors": analyzed,
    }
    lines = columns(
        [(kind.name, kind.title, missing[kind.name] or "installed") for kind in ENCODERS]
    )
    lines += [f"{counted(count, 'photo')} analyzed with {key}." for key, count in analyzed.items()]
    if missing["open_clip"] is not None and missing_package("torch", "open_clip") is None:
        lines.append("`curator encoder download` fetches CLIP's weights.")
    invocation.output.answer(document, [encoding.sentence, *lines])


def _download(invocation: Invocation) -> None:
    from curator.encoders import DownloadJob, download_plan, encoder_options, weights_file

    options = encoder_options(invocation.home, invocation.settings)
    plan = download_plan(options)
    installed = weights_file(options)
    if installed is not None:
        line = f"{plan.title} is already installed: {installed}"
        invocation.output.answer({"path": installed, "bytes": 0}, [line])
        return
    if not invocation.confirm(plan.sentence, "Nothing was downloaded."):
        return
    invocation.home.make()
    job = DownloadJob(plan)
    job.start()
    try:
        with bar(f"Downloading {plan.title}, MB") as advance:
            while not job.wait(_CHECK_S):
                done, total = job.progress
                advance(done // 1_000_000, (total or 0) // 1_000_000, "")
    finally:
        job.cancel()  # after Ctrl+C, too: the process ends, and what has arrived stays
        job.wait()
    if job.error is not None:
        raise job.error
    if job.path is None:
        raise KnownError("The download was stopped.", "The next download continues from here.")
    downloaded = job.path.stat().st_size
    lines = [
        f"{plan.title} is installed: {job.path}, {size(downloaded)}.",
        "Photos are analyzed with it from the next run on.",
    ]
    invocation.output.answer({"path": job.path, "bytes": downloaded}, lines)


def bench(invocation: Invocation) -> int:
    """Measure how fast Curator is here, show earlier results, or draw a library to try."""
    return invocation.run_bench(invocation.home, invocation.arguments, invocation.output)
