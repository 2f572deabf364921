"""VERBS: every verb of the command line, its arguments and the function that runs it.

`curator.cli` parses with it; docs/commands.md is generated from it. Users read the help of verbs
and options. Importing this must stay light: the functions load heavy packages when they run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from curator import __version__
from curator.cli import (
    describing,
    desktop,
    doctor,
    encoder,
    exporting,
    machine,
    photos,
    projects,
    rejects,
    searching,
    sidecars,
    tagging,
    tastes,
    work,
)
from curator.cli.invocation import Invocation
from curator.model import Clause, Label, UsageError
from curator.settings import absolute

Parser = argparse.ArgumentParser


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: ``usage`` is what follows its name, ``help`` its line in docs/commands.md."""

    name: str
    usage: str
    help: str
    run: Callable[[Invocation], int | None]
    arguments: Callable[[Parser], None] = lambda parser: None


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting, so that ``--json`` covers its errors."""

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError with argparse's message."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")


def _ingest(parser: Parser) -> None:
    parser.add_argument(
        "folders", nargs="+", type=_named, metavar="FOLDER", help="a folder or a single file"
    )
    parser.add_argument(
        "--sample", type=_count, metavar="N", help="add only N photos, chosen at random"
    )
    parser.add_argument("--no-recursive", action="store_true", help="without subfolders")
    parser.add_argument(
        "--encoder",
        choices=("auto", "open_clip", "starter", "none"),
        help="what analyzes the photos for similarity and taste; auto: the best one installed",
    )
    describe = parser.add_mutually_exclusive_group()
    describe.add_argument(
        "--describe",
        action="store_const",
        const=True,
        help="describe all photos with the vision model",
    )
    describe.add_argument(
        "--no-describe",
        dest="describe",
        action="store_const",
        const=False,
        help="describe no photos this time",
    )


def _photos(parser: Parser) -> None:
    from curator.library.sort_orders import ORDERS

    parser.add_argument(
        "--filter", default="", metavar="EXPR", help="list only these; syntax as in the search box"
    )
    parser.add_argument(
        "--sort", default="taken", metavar="KEY", help=f"sort by: {', '.join(ORDERS)}"
    )
    parser.add_argument("--reverse", action="store_true", help="reverse the order")
    parser.add_argument("--limit", type=_count, metavar="N", help="list at most N photos")


def _mark(parser: Parser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--rate", type=_rating, metavar="N", help="rate 1-5 stars and keep; 0 removes the stars"
    )
    what.add_argument("--keep", action="store_true", help="keep in the cull")
    what.add_argument("--pick", action="store_true", help="flag as pick and keep")
    what.add_argument("--reject", action="store_true", help="flag as reject; nothing is deleted")
    what.add_argument("--unflag", action="store_true", help="remove the flag")
    what.add_argument(
        "--label",
        choices=(*Label, "none"),
        metavar="NAME",
        help="set a color label",
    )
    what.add_argument(
        "--clear", action="store_true", help="remove flag, stars and label; unreviewed again"
    )
    parser.add_argument(
        "photos", nargs="+", type=_named, metavar="PHOTO", help="a photo id or a path"
    )


def _times(parser: Parser) -> None:
    parser.add_argument(
        "times", nargs="?", type=_count, default=1, metavar="N", help="number of steps"
    )


def _export(parser: Parser) -> None:
    from curator.export import TARGETS

    parser.add_argument(
        "folder", type=_named, metavar="DIR", help="the target folder; created if missing"
    )
    parser.add_argument(
        "photos",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="a photo id or a path; without any, all approved photos. Of those named, only approved"
        " ones are exported",
    )
    parser.add_argument("--target", choices=tuple(TARGETS), help="what to make")
    parser.add_argument("--preset", metavar="NAME", help="a saved preset, or a preset file")
    parser.add_argument("--project", metavar="NAME", help="export this project, in its order")
    parser.add_argument("--scope", type=_named, metavar="FOLDER", help="only photos in this folder")
    parser.add_argument(
        "--approve",
        type=_clauses,
        metavar=",".join(Clause),
        help="export photos approved for these reasons only, by name or number",
    )
    parser.add_argument(
        "--as", dest="form", choices=("original", "jpeg"), help="copy originals, or make JPEGs"
    )
    parser.add_argument(
        "--pair", choices=("both", "raw", "jpeg"), help="files to export of a RAW+JPEG pair"
    )
    parser.add_argument(
        "--long-edge", type=_pixels, metavar="PX", help="long edge of JPEGs in pixels"
    )
    parser.add_argument("--quality", type=_quality, metavar="N", help="quality of JPEGs, 60-100")
    parser.add_argument(
        "--sharpen", choices=("off", "screen", "print"), help="sharpen JPEGs for screen or print"
    )
    parser.add_argument(
        "--metadata",
        choices=("all", "no_location", "none"),
        help="metadata to keep in JPEGs and photos.json",
    )
    parser.add_argument("--no-location", action="store_true", help="same as --metadata no_location")
    parser.add_argument("--names", metavar="TEMPLATE", help="file names, for example {date}_{name}")
    parser.add_argument("--title", metavar="TEXT", help="title of the gallery")
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would happen, change nothing"
    )


def _rejects(parser: Parser) -> None:
    parser.add_argument("act", nargs="?", default="list", choices=("list", "restore", "empty"))
    parser.add_argument(
        "photos",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="a photo id or a path; default: all rejects",
    )
    parser.add_argument(
        "--permanent",
        action="store_true",
        help="empty: delete permanently instead of moving to the trash",
    )
    parser.add_argument("--yes", action="store_true", help="empty: do not ask")


def _folders(parser: Parser) -> None:
    acts = ("list", "add", "remove", "on", "off", "rescan")
    parser.add_argument("act", nargs="?", default="list", choices=acts)
    parser.add_argument("folders", nargs="*", type=_named, metavar="FOLDER")
    parser.add_argument(
        "--photos",
        choices=("stay", "go"),
        default="stay",
        help="remove: whether the photos stay in the catalog",
    )
    parser.add_argument("--no-recursive", action="store_true", help="add: without subfolders")


def _taste(parser: Parser) -> None:
    acts = ("versions", "rollback", "unpin", "keep")
    parser.add_argument("act", nargs="?", choices=acts)
    parser.add_argument(
        "version",
        nargs="?",
        type=_count,
        metavar="N",
        help="a version; `versions N` shows what it changed most",
    )


def _tag(parser: Parser) -> None:
    parser.add_argument("act", choices=tagging.ACTS)
    parser.add_argument(
        "words",
        nargs="+",
        type=_named,
        metavar="WORD",
        help="photos, then a tag or several separated by commas; rename and merge: OLD NEW",
    )


def _tags(parser: Parser) -> None:
    parser.add_argument("--prefix", metavar="P", help="only tags that begin with P")


def _search(parser: Parser) -> None:
    parser.add_argument("text", nargs="+", metavar="TEXT", help="as in the search box")
    parser.add_argument("--limit", type=_count, metavar="N", help="list at most N photos")


def _searches(parser: Parser) -> None:
    parser.add_argument("act", nargs="?", default="list", choices=("list", "add", "remove"))
    parser.add_argument("name", nargs="?", type=_named, metavar="NAME", help="name of the search")
    parser.add_argument(
        "text", nargs="*", metavar="TEXT", help="add: the search, as in the search box"
    )


def _similar(parser: Parser) -> None:
    parser.add_argument("photo", metavar="PHOTO", help="a photo id, a path, or any image file")
    parser.add_argument("--limit", type=_count, metavar="N", help="list at most N photos")


def _describe(parser: Parser) -> None:
    parser.add_argument(
        "photo", type=_named, metavar="PHOTO", help="a photo id, a path, or any image file"
    )
    parser.add_argument("--again", action="store_true", help="ask the vision model again")


def _encoder(parser: Parser) -> None:
    parser.add_argument("act", nargs="?", default="show", choices=("show", "download"))
    parser.add_argument("--yes", action="store_true", help="download: do not ask")


def _sidecar(parser: Parser) -> None:
    parser.add_argument("act", choices=("read", "write", "embed", "conflicts", "status"))
    parser.add_argument(
        "photos",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="a photo id or a path; default: all photos",
    )
    parser.add_argument(
        "--profile",
        choices=("lightroom", "darktable", "digikam"),
        help="write: the editor they are for; default: the setting",
    )
    parser.add_argument(
        "--take",
        choices=("ours", "theirs", "newer"),
        help="conflicts: whose marks win, Curator's (ours), the file's (theirs) or the newer",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would happen, change nothing"
    )
    parser.add_argument("--yes", action="store_true", help="embed: do not ask")


def _project(parser: Parser) -> None:
    parser.add_argument("act", choices=projects.ACTS)
    parser.add_argument(
        "name", type=_named, metavar="NAME", help="name of the project; case does not matter"
    )
    parser.add_argument(
        "words",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="photo ids or paths; rename: the new name; notes: the text; cover: a photo",
    )


def _projects(parser: Parser) -> None:
    parser.add_argument(
        "name", nargs="?", type=_named, metavar="NAME", help="list the photos of this project"
    )
    parser.add_argument(
        "--removed", action="store_true", help="list deleted projects that can be restored"
    )


def _retry(parser: Parser) -> None:
    parser.add_argument(
        "--stage", choices=work.stage_names(), metavar="S", help="retry only this stage"
    )


def _backfill(parser: Parser) -> None:
    parser.add_argument("stage", choices=work.stage_names(), metavar="STAGE", help="the stage")


def _logs(parser: Parser) -> None:
    parser.add_argument("--lines", type=_count, default=40, metavar="N", help="number of lines")


def _settings(parser: Parser) -> None:
    parser.add_argument(
        "changes", nargs="*", metavar="NAME=VALUE", help="change a setting and save it"
    )


def _keys(parser: Parser) -> None:
    parser.add_argument(
        "preset", nargs="?", metavar="PRESET", help="list the keys of this preset instead"
    )


def _doctor(parser: Parser) -> None:
    acts = ("check", "backups", "restore", "new-catalog")
    parser.add_argument("act", nargs="?", type=_doctor_act, default="check", choices=acts)
    parser.add_argument(
        "backup",
        nargs="?",
        type=_named,
        metavar="BACKUP",
        help="restore: name of the backup; default: the newest intact one",
    )
    parser.add_argument("--yes", action="store_true", help="restore: do not ask")


def _desktop(parser: Parser) -> None:
    parser.add_argument("act", choices=("add", "remove"))


def _bench(parser: Parser) -> None:
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="measure only this"
    )
    parser.add_argument("--photos", metavar="FOLDER", help="use real photos instead of drawn ones")
    parser.add_argument(
        "--stock", metavar="FOLDER", help="folder for drawn photos, so that the next run is faster"
    )
    parser.add_argument(
        "--history", action="store_true", help="show earlier results instead of measuring"
    )
    parser.add_argument(
        "--make-catalog",
        type=_named,
        metavar="HOME",
        help="make a home with a drawn library instead of measuring; open it with --home",
    )
    parser.add_argument(
        "--count",
        type=_count,
        default=100_000,
        metavar="N",
        help="number of photos in the library",
    )
    parser.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)


def _run_bench(invocation: Invocation) -> int:
    return invocation.outside.run_bench(invocation.home, invocation.arguments, invocation.output)


def _open_window(invocation: Invocation) -> int:
    folders = [absolute(folder) for folder in invocation.arguments.folders]
    return invocation.outside.open_window(invocation.home, invocation.settings, folders)


# To add a verb: a function that takes an Invocation, one that declares arguments, and one line.
VERBS: tuple[Verb, ...] = (
    Verb(
        "ingest",
        "FOLDER... [--sample N] [--no-recursive] [--encoder auto|open_clip|starter|none]"
        " [--describe|--no-describe]",
        "Add folders to the catalog, read their photos, then exit",
        work.ingest,
        _ingest,
    ),
    Verb(
        "photos",
        "[--filter EXPR] [--sort KEY] [--reverse] [--limit N]",
        "List photos",
        photos.photos,
        _photos,
    ),
    Verb(
        "mark",
        "(--rate N | --keep | --pick | --reject | --unflag | --label NAME | --clear) PHOTO...",
        "Rate, flag or label photos, as one undo step",
        photos.mark,
        _mark,
    ),
    Verb("undo", "[N]", "Undo the last mark, or the last N", photos.undo, _times),
    Verb("redo", "[N]", "Redo what was undone", photos.redo, _times),
    Verb(
        "taste",
        "[versions [N]|rollback N|unpin|keep]",
        "Show how well Curator predicts your ratings, or manage the versions of your taste",
        tastes.taste,
        _taste,
    ),
    Verb(
        "tag",
        "(add|remove|confirm PHOTO... NAME | rename|merge OLD NEW)",
        "Tag photos, or rename or merge a tag everywhere, as one undo step",
        tagging.tag,
        _tag,
    ),
    Verb(
        "tags",
        "[--prefix P]",
        "List tags, most used first, and the suggestions that you remove most",
        tagging.tags,
        _tags,
    ),
    Verb(
        "search",
        "TEXT [--limit N]",
        "Find photos by words, by fields and, with CLIP, by what they show",
        searching.search,
        _search,
    ),
    Verb(
        "searches",
        "[add|remove NAME [TEXT]]",
        "List saved searches, or add or remove one",
        searching.searches,
        _searches,
    ),
    Verb(
        "similar",
        "PHOTO [--limit N]",
        "List the photos most similar to a photo",
        tastes.similar,
        _similar,
    ),
    Verb(
        "describe",
        "PHOTO [--again]",
        "Show everything known about a photo, or about any image file without adding it, and what"
        " the vision model sees in it",
        describing.describe,
        _describe,
    ),
    Verb(
        "export",
        "DIR [PHOTO...] [--target folder|gallery|sidecar] [--project NAME] [--preset NAME]"
        " [--as original|jpeg] [--dry-run]",
        "Export the approved photos as copies, JPEGs or a web gallery, with a photos.json",
        exporting.export,
        _export,
    ),
    Verb(
        "project",
        "add|remove|move|new|rename|delete|restore|notes|cover NAME [PHOTO...]",
        "Add photos to a project, remove them, or change the project itself",
        projects.project,
        _project,
    ),
    Verb(
        "projects",
        "[NAME] [--removed]",
        "List projects, or the photos of a project in its order",
        projects.projects,
        _projects,
    ),
    Verb(
        "rejects",
        "[list|restore|empty] [PHOTO...] [--permanent] [--yes]",
        "List rejected photos, restore them, or delete their files",
        rejects.rejects,
        _rejects,
    ),
    Verb(
        "folders",
        "[add|remove|on|off|rescan FOLDER...]",
        "List the folders of the catalog, or change them",
        work.folders,
        _folders,
    ),
    Verb(
        "encoder",
        "[download] [--yes]",
        "Show which encoder analyzes photos, or download CLIP",
        encoder.encoder,
        _encoder,
    ),
    Verb(
        "sidecar",
        "read|write|embed|conflicts|status [PHOTO...] [--profile NAME] [--take SIDE] [--dry-run]"
        " [--yes]",
        "Read marks from sidecars, write them for other editors, or embed them in originals",
        sidecars.sidecar,
        _sidecar,
    ),
    Verb("status", "", "Show what is in the catalog and what is still to do", work.status),
    Verb("failures", "", "List the photos that could not be read, and why", work.failures),
    Verb("retry", "[--stage S]", "Retry failed photos", work.retry, _retry),
    Verb("backfill", "STAGE", "Run a stage again for every photo", work.backfill, _backfill),
    Verb("logs", "[--lines N]", "Show the end of the log", machine.logs, _logs),
    Verb(
        "settings",
        "[NAME=VALUE...]",
        "List all settings, or change some",
        machine.settings,
        _settings,
    ),
    Verb("keys", "[PRESET]", "List your keys, or the keys of a preset", machine.keys, _keys),
    Verb(
        "desktop",
        "add|remove",
        "Add Curator to the desktop's Open With menu, or remove it (Linux, Windows)",
        desktop.desktop,
        _desktop,
    ),
    Verb(
        "doctor",
        "[backups|restore [BACKUP]|new-catalog] [--yes]",
        "Check this installation; list or restore the catalog's backups, or start an empty catalog"
        " if it is gone",
        doctor.doctor,
        _doctor,
    ),
    Verb(
        "bench",
        "[--only NAME] [--count N] [--history] [--make-catalog HOME]",
        "Measure how fast Curator is on this machine, show earlier results, or draw a library to"
        " try it with",
        _run_bench,
        _bench,
    ),
)

FORMER_VERBS = {"decide": "mark"}
"""Verbs renamed in version 0.2, which still accepts the former names."""


def _doctor_act(text: str) -> str:
    return "new-catalog" if text == "anew" else text  # the former name, accepted in version 0.2


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; the result's ``run`` is the function to call.

    Raises:
        UsageError: the command line is not valid.
    """
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--home", type=_named, metavar="DIR", help="folder of catalog and cache")
    common.add_argument("--json", action="store_true", help="print one JSON document")
    common.add_argument(
        "--set", action="append", metavar="NAME=VALUE", help="change a setting for this run"
    )
    names = [verb.name for verb in VERBS]
    words, at = list(argv), _first_word(argv)
    if at is not None:
        words[at] = FORMER_VERBS.get(words[at], words[at])
    if at is not None and words[at] in names:
        parser = _verb_parser(common, words[at])
    else:
        parser = _Parser(
            "curator",
            description="Cull and rate photos by keyboard, and export the best.",
            epilog=f"commands: {', '.join(names)}; see `curator COMMAND --help`",
            parents=[common],
        )
        parser.add_argument(
            "folders",
            nargs="*",
            type=_named,
            metavar="FOLDER",
            help="a folder to open in the window",
        )
        parser.add_argument("--version", action="version", version=f"curator {__version__}")
        parser.set_defaults(run=_open_window)
    defaults = argparse.Namespace(home=None, json=False, set=[])
    return parser.parse_args(words, defaults)


def _verb_parser(common: _Parser, asked: str) -> Parser:
    """Build a parser of all verbs, with the arguments of one: listing them may take an import."""
    parser = _Parser("curator", parents=[common])
    below = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    for verb in VERBS:
        sub = below.add_parser(verb.name, help=verb.help, description=verb.help, parents=[common])
        if verb.name == asked:
            verb.arguments(sub)
        sub.set_defaults(run=verb.run)
    return parser


def _first_word(argv: Sequence[str]) -> int | None:
    """Return the index of the first argument that is neither an option nor an option's value."""
    skip = False
    for at, argument in enumerate(argv):
        if skip:
            skip = False
        elif argument == "--":
            return None
        elif argument in ("--home", "--set"):
            skip = True
        elif not argument.startswith("-"):
            return at
    return None


def _whole(text: str, low: int, high: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{what} must be a whole number from {low} to {high:,}")
    return int(text)


def _named(text: str) -> str:
    """Refuse an empty name: a script's unset variable would otherwise mean the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a name must not be empty")
    return text


def _count(text: str) -> int:
    return _whole(text, 1, 10_000_000, "N")


def _rating(text: str) -> int:
    return _whole(text, 0, 5, "a rating")


def _pixels(text: str) -> int:
    return _whole(text, 320, 20_000, "a long edge")


def _quality(text: str) -> int:
    return _whole(text, 60, 100, "a quality")


def _clauses(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))
