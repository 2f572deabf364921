"""VERBS: every verb of the command line, its arguments and the function that does it."""

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
    """One verb: ``help`` is its line in the README, ``usage`` what follows the name there."""

    name: str
    usage: str
    help: str
    run: Callable[[Invocation], int | None]
    arguments: Callable[[Parser], None] = lambda parser: None


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that ``--json`` errors are JSON too."""

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError with argparse's message."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")


def _ingest(parser: Parser) -> None:
    parser.add_argument(
        "folders", nargs="+", type=_named, metavar="FOLDER", help="a folder or a file"
    )
    parser.add_argument("--sample", type=_count, metavar="N", help="N photos at random, not all")
    parser.add_argument("--no-recursive", action="store_true", help="leave subfolders out")
    parser.add_argument(
        "--encoder",
        choices=("auto", "open_clip", "starter", "none"),
        help="what compares the photos; auto: the best that is here",
    )
    describe = parser.add_mutually_exclusive_group()
    describe.add_argument(
        "--describe", action="store_const", const=True, help="have the vision model describe all"
    )
    describe.add_argument(
        "--no-describe", dest="describe", action="store_const", const=False, help="not this time"
    )


def _photos(parser: Parser) -> None:
    from curator.library.sort_orders import ORDERS

    parser.add_argument("--filter", default="", metavar="EXPR", help="as in the search box")
    parser.add_argument("--sort", default="taken", metavar="KEY", help=", ".join(ORDERS))
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument("--limit", type=_count, metavar="N", help="at most N")


def _decide(parser: Parser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rate", type=_rating, metavar="N", help="1-5 stars and kept; 0: no stars")
    what.add_argument("--keep", action="store_true", help="let through the cull")
    what.add_argument("--pick", action="store_true", help="flag as pick, and keep")
    what.add_argument("--reject", action="store_true", help="flag as reject; nothing is deleted")
    what.add_argument("--unflag", action="store_true", help="take the flag off")
    what.add_argument("--label", choices=(*Label, "none"), metavar="NAME", help=", ".join(Label))
    what.add_argument("--clear", action="store_true", help="no flag, stars, label; not kept")
    parser.add_argument("photos", nargs="+", type=_named, metavar="PHOTO", help="an id or a path")


def _times(parser: Parser) -> None:
    parser.add_argument("times", nargs="?", type=_count, default=1, metavar="N")


def _export(parser: Parser) -> None:
    from curator.export import TARGETS

    parser.add_argument(
        "folder", type=_named, metavar="DIR", help="where to; made if it is not there"
    )
    parser.add_argument(
        "photos",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="an id or a path; of these, only the approved go; else all that are approved",
    )
    parser.add_argument("--target", choices=tuple(TARGETS))
    parser.add_argument(
        "--preset", metavar="NAME", help="choices saved under a name, or their file"
    )
    parser.add_argument("--project", metavar="NAME", help="only this project, in its order")
    parser.add_argument("--scope", type=_named, metavar="FOLDER", help="only photos of this folder")
    parser.add_argument(
        "--approve",
        type=_clauses,
        metavar=",".join(Clause),
        help="clauses of the approval rule, or their numbers",
    )
    parser.add_argument("--as", dest="form", choices=("original", "jpeg"))
    parser.add_argument("--pair", choices=("both", "raw", "jpeg"), help="which half of a pair")
    parser.add_argument("--long-edge", type=_pixels, metavar="PX", help="of JPEGs")
    parser.add_argument("--quality", type=_quality, metavar="N", help="of JPEGs, 60-100")
    parser.add_argument("--sharpen", choices=("off", "screen", "print"), help="JPEGs, for what")
    parser.add_argument(
        "--metadata", choices=("all", "no_location", "none"), help="that JPEGs and manifest keep"
    )
    parser.add_argument("--no-location", action="store_true", help="as --metadata no_location")
    parser.add_argument("--names", metavar="TEMPLATE", help="of files, as {date}_{name}")
    parser.add_argument("--title", metavar="TEXT", help="of a gallery")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, no more")


def _rejects(parser: Parser) -> None:
    parser.add_argument("act", nargs="?", default="list", choices=("list", "restore", "empty"))
    parser.add_argument(
        "photos", nargs="*", type=_named, metavar="PHOTO", help="an id or a path; else all"
    )
    parser.add_argument("--permanent", action="store_true", help="empty: delete, no trash")
    parser.add_argument("--yes", action="store_true", help="empty: without asking")


def _folders(parser: Parser) -> None:
    acts = ("list", "add", "remove", "on", "off", "rescan")
    parser.add_argument("act", nargs="?", default="list", choices=acts)
    parser.add_argument("folders", nargs="*", type=_named, metavar="FOLDER")
    parser.add_argument(
        "--photos", choices=("stay", "go"), default="stay", help="what remove does with them"
    )
    parser.add_argument("--no-recursive", action="store_true", help="add: leave subfolders out")


def _taste(parser: Parser) -> None:
    acts = ("versions", "rollback", "unpin", "keep")
    parser.add_argument("act", nargs="?", choices=acts)
    parser.add_argument(
        "version", nargs="?", type=_count, metavar="N", help="of `versions`: what moved most in it"
    )


def _tag(parser: Parser) -> None:
    parser.add_argument("act", choices=tagging.ACTS)
    parser.add_argument(
        "words",
        nargs="+",
        type=_named,
        metavar="WORD",
        help="photos, then a tag, or several with commas; rename and merge: OLD NEW",
    )


def _tags(parser: Parser) -> None:
    parser.add_argument("--prefix", metavar="P", help="only those that begin so")


def _search(parser: Parser) -> None:
    parser.add_argument("text", nargs="+", metavar="TEXT", help="as in the search box")
    parser.add_argument("--limit", type=_count, metavar="N", help="at most N")


def _searches(parser: Parser) -> None:
    parser.add_argument("act", nargs="?", default="list", choices=("list", "add", "remove"))
    parser.add_argument("name", nargs="?", type=_named, metavar="NAME")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="add: as in the search box")


def _similar(parser: Parser) -> None:
    parser.add_argument("photo", metavar="PHOTO", help="an id, a path, or any picture file")
    parser.add_argument("--limit", type=_count, metavar="N", help="at most N")


def _describe(parser: Parser) -> None:
    parser.add_argument("photo", type=_named, metavar="PHOTO", help="an id, a path, or any file")
    parser.add_argument("--again", action="store_true", help="ask the vision model once more")


def _encoder(parser: Parser) -> None:
    parser.add_argument("act", nargs="?", default="show", choices=("show", "download"))
    parser.add_argument("--yes", action="store_true", help="download without asking")


def _sidecar(parser: Parser) -> None:
    parser.add_argument("act", choices=("read", "write", "embed", "conflicts", "status"))
    parser.add_argument(
        "photos", nargs="*", type=_named, metavar="PHOTO", help="an id or a path; else all"
    )
    parser.add_argument(
        "--profile",
        choices=("lightroom", "darktable", "digikam"),
        help="write: the editor they are for; else the setting",
    )
    parser.add_argument(
        "--take", choices=("ours", "theirs", "newer"), help="conflicts: the side that holds"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, no more")
    parser.add_argument("--yes", action="store_true", help="embed: without asking")


def _project(parser: Parser) -> None:
    parser.add_argument("act", choices=projects.ACTS)
    parser.add_argument("name", type=_named, metavar="NAME", help="of the project, in any case")
    parser.add_argument(
        "words",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="photos by id or path; of rename the new name, of notes the text, of cover a photo",
    )


def _projects(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", type=_named, metavar="NAME", help="its photos, by hand")
    parser.add_argument("--removed", action="store_true", help="those that can be restored")


def _retry(parser: Parser) -> None:
    parser.add_argument("--stage", choices=work.stage_names(), metavar="S", help="only this stage")


def _backfill(parser: Parser) -> None:
    parser.add_argument("stage", choices=work.stage_names(), metavar="STAGE")


def _logs(parser: Parser) -> None:
    parser.add_argument("--lines", type=_count, default=40, metavar="N")


def _settings(parser: Parser) -> None:
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE", help="change and keep")


def _keys(parser: Parser) -> None:
    parser.add_argument("preset", nargs="?", metavar="PRESET", help="its keys instead of one's own")


def _doctor(parser: Parser) -> None:
    acts = ("check", "backups", "restore", "anew")
    parser.add_argument("act", nargs="?", default="check", choices=acts)
    parser.add_argument(
        "backup", nargs="?", type=_named, metavar="BACKUP", help="its name; else the newest sound"
    )
    parser.add_argument("--yes", action="store_true", help="restore: without asking")


def _desktop(parser: Parser) -> None:
    parser.add_argument("act", choices=("add", "remove"))


def _bench(parser: Parser) -> None:
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this bar")
    parser.add_argument("--photos", metavar="FOLDER", help="real photos instead of drawn ones")
    parser.add_argument(
        "--stock", metavar="FOLDER", help="where what takes long to draw is kept for the next run"
    )
    parser.add_argument(
        "--history", action="store_true", help="measure nothing, show how figures moved"
    )
    parser.add_argument(
        "--make-catalog",
        type=_named,
        metavar="HOME",
        help="measure nothing, make a home with a drawn library in it, to be opened with --home",
    )
    parser.add_argument(
        "--count",
        type=_count,
        default=100_000,
        metavar="N",
        help="photos of that library, or of the one that bars measure",
    )
    parser.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)


def _run_bench(invocation: Invocation) -> int:
    return invocation.outside.run_bench(invocation.home, invocation.arguments, invocation.output)


def _open_window(invocation: Invocation) -> int:
    folders = [absolute(folder) for folder in invocation.arguments.folders]
    return invocation.outside.open_window(invocation.home, invocation.settings, folders)


# To add a verb: a function of an Invocation, one of its parser if it takes arguments, one line.
VERBS: tuple[Verb, ...] = (
    Verb(
        "ingest",
        "FOLDER... [--sample N] [--no-recursive] [--encoder auto|open_clip|starter|none]"
        " [--describe|--no-describe]",
        "read folders into the catalog and return when all is done",
        work.ingest,
        _ingest,
    ),
    Verb(
        "photos",
        "[--filter EXPR] [--sort KEY] [--reverse] [--limit N]",
        "list photos",
        photos.photos,
        _photos,
    ),
    Verb(
        "decide",
        "(--rate N | --keep | --pick | --reject | --unflag | --label NAME | --clear) PHOTO...",
        "mark photos, as one undo step",
        photos.decide,
        _decide,
    ),
    Verb("undo", "[N]", "take back the last decision, or the last N", photos.undo, _times),
    Verb("redo", "[N]", "do again what was taken back", photos.redo, _times),
    Verb(
        "taste",
        "[versions [N]|rollback N|unpin|keep]",
        "say what was learned from stars and how far to trust it, or look after its versions",
        tastes.taste,
        _taste,
    ),
    Verb(
        "tag",
        "(add|remove|confirm PHOTO... NAME | rename|merge OLD NEW)",
        "tag photos, or change what a tag is called everywhere; one undo step",
        tagging.tag,
        _tag,
    ),
    Verb(
        "tags",
        "[--prefix P]",
        "list the tags, most used first, and which suggestions people take off",
        tagging.tags,
        _tags,
    ),
    Verb(
        "search",
        "TEXT [--limit N]",
        "find photos by words, fields and, with CLIP, by what they look like",
        searching.search,
        _search,
    ),
    Verb(
        "searches",
        "[add|remove NAME [TEXT]]",
        "list the searches kept by name, or change them",
        searching.searches,
        _searches,
    ),
    Verb("similar", "PHOTO [--limit N]", "list the photos most like one", tastes.similar, _similar),
    Verb(
        "describe",
        "PHOTO [--again]",
        "say all there is to say of a photo, or of any picture file without adding it; the vision"
        " model is asked what is in it",
        describing.describe,
        _describe,
    ),
    Verb(
        "export",
        "DIR [PHOTO...] [--target folder|gallery] [--project NAME] [--preset NAME]"
        " [--as original|jpeg] [--dry-run]",
        "bring the approved photos out: copies, JPEGs or a web gallery, with a manifest",
        exporting.export,
        _export,
    ),
    Verb(
        "project",
        "add|remove|move|new|rename|delete|restore|notes|cover NAME [PHOTO...]",
        "put photos into a project, take them out, or change what the project is",
        projects.project,
        _project,
    ),
    Verb(
        "projects",
        "[NAME] [--removed]",
        "list the projects, or the photos of one in their order by hand",
        projects.projects,
        _projects,
    ),
    Verb(
        "rejects",
        "[list|restore|empty] [PHOTO...] [--permanent] [--yes]",
        "list the rejects, take their flags off, or remove their files",
        rejects.rejects,
        _rejects,
    ),
    Verb(
        "folders",
        "[add|remove|on|off|rescan FOLDER...]",
        "list the folders, or change them",
        work.folders,
        _folders,
    ),
    Verb(
        "encoder",
        "[download] [--yes]",
        "say what compares photos here, or fetch CLIP's weights",
        encoder.encoder,
        _encoder,
    ),
    Verb(
        "sidecar",
        "read|write|embed|conflicts|status [PHOTO...] [--profile NAME] [--take SIDE] [--dry-run]"
        " [--yes]",
        "take over marks from sidecars, write them for other editors, or into originals",
        sidecars.sidecar,
        _sidecar,
    ),
    Verb("status", "", "say what is in the catalog and what waits", work.status),
    Verb("failures", "", "list the photos that could not be read, and why", work.failures),
    Verb("retry", "[--stage S]", "try failed photos again", work.retry, _retry),
    Verb("backfill", "STAGE", "do a stage again for every photo", work.backfill, _backfill),
    Verb("logs", "[--lines N]", "show the end of the log", machine.logs, _logs),
    Verb(
        "settings",
        "[NAME=VALUE...]",
        "show all settings, or change some",
        machine.settings,
        _settings,
    ),
    Verb("keys", "[PRESET]", "list the keys in force, or those of a preset", machine.keys, _keys),
    Verb(
        "desktop",
        "add|remove",
        "put Curator into the desktop's Open with, or take it out (Linux, Windows)",
        desktop.desktop,
        _desktop,
    ),
    Verb(
        "doctor",
        "[backups|restore [BACKUP]|anew] [--yes]",
        "check this installation and name what is missing; list the catalog's back-ups, put one"
        " in its place, or start an empty one where it is gone",
        doctor.doctor,
        _doctor,
    ),
    Verb(
        "bench",
        "[--only NAME] [--count N] [--history] [--make-catalog HOME]",
        "measure the speed bars on this machine, say how they moved, or draw a library;"
        " of N photos, else 100,000",
        _run_bench,
        _bench,
    ),
)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; the result's ``run`` is the function to call.

    Raises:
        UsageError: it makes no sense; nothing was done.
    """
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--home", type=_named, metavar="DIR", help="where catalog and cache live")
    common.add_argument("--json", action="store_true", help="answer with one JSON document")
    common.add_argument("--set", action="append", metavar="NAME=VALUE", help="a setting, once")
    names = [verb.name for verb in VERBS]
    asked = _first_word(argv)
    if asked in names:
        parser = _verb_parser(common, asked)
    else:
        parser = _Parser(
            "curator",
            description="Point at a photo folder, cull and rate by keyboard, export the rest.",
            epilog=f"verbs: {', '.join(names)}; `curator VERB --help` says more",
            parents=[common],
        )
        parser.add_argument(
            "folders", nargs="*", type=_named, metavar="FOLDER", help="open the window on it"
        )
        parser.add_argument("--version", action="version", version=f"curator {__version__}")
        parser.set_defaults(run=_open_window)
    defaults = argparse.Namespace(home=None, json=False, set=[])
    return parser.parse_args(list(argv), defaults)


def _verb_parser(common: _Parser, asked: str) -> Parser:
    """Know every verb; of the one asked for its arguments, which may take an import to list."""
    parser = _Parser("curator", parents=[common])
    below = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    for verb in VERBS:
        sub = below.add_parser(verb.name, help=verb.help, description=verb.help, parents=[common])
        if verb.name == asked:
            verb.arguments(sub)
        sub.set_defaults(run=verb.run)
    return parser


def _first_word(argv: Sequence[str]) -> str | None:
    """Find the first argument that is no option and no option's value."""
    skip = False
    for argument in argv:
        if skip:
            skip = False
        elif argument == "--":
            return None
        elif argument in ("--home", "--set"):
            skip = True
        elif not argument.startswith("-"):
            return argument
    return None


def _whole(text: str, low: int, high: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{what} is a whole number from {low} to {high:,}")
    return int(text)


def _named(text: str) -> str:
    """Refuse an empty name: what a script gives for a variable it forgot would be *here*."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty name names nothing")
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
