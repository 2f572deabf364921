"""VERBS: every verb of the command line, its arguments and the function that runs it.

`curator.cli` parses with it, and docs/commands.md is generated from it: users read the help of
verbs and options. A command line imports the module of its own verb only, and nothing else here
may import one at the top: with all of them `curator --version` took four times as long.
"""

from __future__ import annotations

import argparse
import keyword
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from curator import __version__
from curator.cli.invocation import Invocation
from curator.home import absolute
from curator.model import Clause, Label, UsageError

Parser = argparse.ArgumentParser


Run = Callable[[Invocation], int | None]
"""A function that runs a verb and returns the exit code, 0 if None."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: a function, named and documented as the verb, and its arguments.

    Attributes:
        name: the name of the verb.
        module: the module of `curator.cli` with the function.
        usage: what follows the name in docs/commands.md.
        arguments: declares the arguments.
    """

    name: str
    module: str
    usage: str = ""
    arguments: Callable[[Parser], None] = lambda parser: None

    @property
    def run(self) -> Run:
        """The function, imported now; that of a verb that is a Python keyword ends with ``_``."""
        module = import_module(f"curator.cli.{self.module}")
        function = self.name + "_" * keyword.iskeyword(self.name)
        run: Run = getattr(module, function)
        return run

    @property
    def help(self) -> str:
        """What it does: the first line of the function's docstring, without its period."""
        return (self.run.__doc__ or "").partition("\n")[0].removesuffix(".")


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting, so that ``--json`` covers its errors."""

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError with argparse's message."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"See `{self.prog} --help`.")


def _photo_names(parser: Parser, default: str) -> None:
    """Declare the photos a verb is about; ``default`` says which they are if none is named."""
    help = f"a photo id or a path; default: {default}"
    parser.add_argument("photos", nargs="*", type=_named, metavar="PHOTO", help=help)


def _limit(parser: Parser) -> None:
    parser.add_argument("--limit", type=_count, metavar="N", help="list at most N photos")


def _ingest(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "folders",
        nargs="+",
        type=_named,
        metavar="FOLDER",
        help="a folder or a single file; to copy from a card, use `curator import`",
    )
    add("--sample", type=_count, metavar="N", help="add only N photos, chosen at random")
    add("--no-recursive", action="store_true", help="without subfolders")
    add(
        "--encoder",
        choices=("auto", "open_clip", "starter", "none"),
        help="what analyzes the photos for similarity and taste; auto: the best one installed",
    )
    add(
        "--describe",
        action=argparse.BooleanOptionalAction,
        help="describe all photos with the vision model, or no photos this time",
    )


def _import(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "cards",
        nargs="*",
        type=_named,
        metavar="CARD",
        help="a memory card by its label or folder, or any folder; default: the card inserted",
    )
    add(
        "--to",
        type=_named,
        metavar="DIR",
        help="copy into this folder; default: the setting importing.to",
    )
    add(
        "--also",
        action="append",
        type=_named,
        metavar="DIR",
        help="make a second copy in this folder",
    )
    add("--folders", metavar="TEMPLATE", help="folders below DIR, for example {date:%%Y}/{job}")
    add("--names", metavar="TEMPLATE", help="file names, for example {date}_{seq:4}")
    add("--job", metavar="NAME", help="name of the job, for {job} and sidecars")
    add("--creator", metavar="TEXT", help="the photographer, for sidecars")
    add("--copyright", metavar="TEXT", help="the copyright notice, for sidecars")
    add(
        "--sidecars",
        action=argparse.BooleanOptionalAction,
        help="write job, photographer and copyright into sidecars beside the copies, or not",
    )
    add("--keepers", action="store_true", help="only photos you kept, picked or rated")
    add("--eject", action="store_true", help="eject the cards once everything is verified")
    add("--dry-run", action="store_true", help="show what would happen, change nothing")


def _imports(parser: Parser) -> None:
    parser.add_argument(
        "number", nargs="?", type=_count, metavar="N", help="show the report of this import"
    )


def _photos(parser: Parser) -> None:
    from curator.library.sort_orders import ORDERS

    add = parser.add_argument
    add("--filter", default="", metavar="EXPR", help="list only these; syntax as in the search box")
    add("--sort", default="taken", metavar="KEY", help=f"sort by: {', '.join(ORDERS)}")
    add("--reverse", action="store_true", help="reverse the order")
    _limit(parser)


def _mark(parser: Parser) -> None:
    mark = parser.add_mutually_exclusive_group(required=True)
    mark.add_argument(
        "--rate", type=_rating, metavar="N", help="rate 1-5 stars and keep; 0 removes the stars"
    )
    mark.add_argument("--keep", action="store_true", help="keep in the cull")
    mark.add_argument("--pick", action="store_true", help="flag as pick and keep")
    mark.add_argument("--reject", action="store_true", help="flag as reject; nothing is deleted")
    mark.add_argument("--unflag", action="store_true", help="remove the flag")
    mark.add_argument("--label", choices=(*Label, "none"), metavar="NAME", help="set a color label")
    mark.add_argument(
        "--clear", action="store_true", help="remove flag, stars and label; unreviewed again"
    )
    parser.add_argument(
        "photos", nargs="+", type=_named, metavar="PHOTO", help="a photo id or a path"
    )


def _times(parser: Parser) -> None:
    parser.add_argument("times", nargs="?", type=_count, default=1, metavar="N", help="how many")


def _export(parser: Parser) -> None:
    from curator.export import TARGETS

    add = parser.add_argument
    add("folder", type=_named, metavar="DIR", help="the target folder; created if missing")
    _photo_names(parser, "all. In any case, only approved photos are exported")
    add("--target", choices=tuple(TARGETS), help="what to make")
    add("--preset", metavar="NAME", help="a saved preset, or a preset file")
    add("--project", metavar="NAME", help="export this project, in its order")
    add("--scope", type=_named, metavar="FOLDER", help="only photos in this folder")
    add(
        "--approve",
        type=_clauses,
        metavar=",".join(Clause),
        help="export photos approved for these reasons only, by name or number",
    )
    add("--as", dest="form", choices=("original", "jpeg"), help="copy originals, or make JPEGs")
    add("--pair", choices=("both", "raw", "jpeg"), help="files to export of a RAW+JPEG pair")
    add("--long-edge", type=_pixels, metavar="PX", help="long edge of JPEGs in pixels")
    add("--quality", type=_quality, metavar="N", help="quality of JPEGs, 60-100")
    add("--sharpen", choices=("off", "screen", "print"), help="sharpen JPEGs for screen or print")
    add(
        "--metadata",
        choices=("all", "no_location", "none"),
        help="metadata to keep; default: all in copies of originals, no_location in JPEGs and"
        " galleries. With no_location or none, copies lose only their location (needs exiftool)",
    )
    add("--no-location", action="store_true", help="same as --metadata no_location")
    add("--names", metavar="TEMPLATE", help="file names, for example {date}_{name}")
    add("--title", metavar="TEXT", help="title of the gallery")
    add("--dry-run", action="store_true", help="show what would happen, change nothing")


def _rejects(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "act",
        nargs="?",
        default="list",
        choices=("list", "restore", "empty"),
        help="list: show rejected photos; restore: remove the flag; empty: move the"
        " files to the trash",
    )
    _photo_names(parser, "all rejects")
    add(
        "--permanent",
        action="store_true",
        help="empty: delete permanently instead of moving to the trash",
    )
    add("--yes", action="store_true", help="empty: do not ask")


def _folders(parser: Parser) -> None:
    add = parser.add_argument
    acts = ("list", "add", "remove", "on", "off", "rescan")
    add(
        "act",
        nargs="?",
        default="list",
        choices=acts,
        help="list: show the folders; add: add folders and read their photos; remove: remove them"
        " from the catalog; on: show and read their photos; off: neither show nor read them;"
        " rescan: look for new and changed files",
    )
    add("folders", nargs="*", type=_named, metavar="FOLDER", help="a folder")
    add(
        "--photos",
        choices=("stay", "go"),
        default="stay",
        help="remove: keep the photos in the catalog (stay) or hide them (go); no file is touched",
    )
    add("--no-recursive", action="store_true", help="add: without subfolders")


def _taste(parser: Parser) -> None:
    add = parser.add_argument
    acts = ("versions", "rollback", "unpin", "keep")
    add(
        "act",
        nargs="?",
        choices=acts,
        help="versions: list the versions of your taste; rollback: pin version N; unpin: learn"
        " from all ratings again; keep: save a version now; default: show how well it predicts",
    )
    add(
        "version",
        nargs="?",
        type=_count,
        metavar="N",
        help="a version; `versions N` shows what it changed most",
    )


def _tag(parser: Parser) -> None:
    from curator.cli import tagging

    add = parser.add_argument
    add(
        "act",
        choices=tagging.ACTS,
        help="add, remove: tag photos or untag them; confirm: confirm suggested tags; rename:"
        " rename a tag everywhere; merge: replace OLD with NEW everywhere",
    )
    add(
        "words",
        nargs="+",
        type=_named,
        metavar="WORD",
        help="photos, then a tag or several separated by commas; rename and merge: OLD NEW",
    )


def _tags(parser: Parser) -> None:
    parser.add_argument("--prefix", metavar="P", help="only tags that begin with P")
    parser.add_argument(
        "--kind", metavar="WORD", help="only tags that are kinds of WORD, such as bird"
    )


def _search(parser: Parser) -> None:
    parser.add_argument("text", nargs="+", metavar="TEXT", help="as in the search box")
    _limit(parser)


def _searches(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "act",
        nargs="?",
        default="list",
        choices=("list", "add", "remove"),
        help="list: show saved searches; add: save one; remove: delete one",
    )
    add("name", nargs="?", type=_named, metavar="NAME", help="name of the search")
    add("text", nargs="*", metavar="TEXT", help="add: the search, as in the search box")


def _similar(parser: Parser) -> None:
    parser.add_argument("photo", metavar="PHOTO", help="a photo id, a path, or any image file")
    _limit(parser)


def _describe(parser: Parser) -> None:
    add = parser.add_argument
    add("photo", type=_named, metavar="PHOTO", help="a photo id, a path, or any image file")
    add("--again", action="store_true", help="ask the vision model again")


def _faces(parser: Parser) -> None:
    parser.add_argument(
        "photo", type=_named, metavar="PHOTO", help="a photo id, a path, or any image file"
    )


def _text(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "photos",
        nargs="+",
        type=_named,
        metavar="PHOTO",
        help="a photo id, a path, or any image file",
    )
    add("--again", action="store_true", help="read photos again that were read before")


def _encoder(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "act",
        nargs="?",
        default="show",
        choices=("show", "download"),
        help="show: show which encoder is used; download: download CLIP",
    )
    add("--yes", action="store_true", help="download: do not ask")


def _sidecar(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "act",
        choices=("read", "write", "embed", "conflicts", "status"),
        help="read: read new and changed sidecars; write: write those that differ from your marks;"
        " embed: write marks into originals whose sidecars other editors ignore; conflicts: list"
        " or resolve conflicting marks; status: show what is unwritten",
    )
    _photo_names(parser, "all photos")
    add(
        "--profile",
        choices=("lightroom", "darktable", "digikam"),
        help="write: the editor they are for; default: the setting",
    )
    add(
        "--take",
        choices=("ours", "theirs", "newer"),
        help="conflicts: whose marks win, Curator's (ours), the file's (theirs) or the newer",
    )
    add("--dry-run", action="store_true", help="show what would happen, change nothing")
    add("--yes", action="store_true", help="embed: do not ask")


def _project(parser: Parser) -> None:
    from curator.cli import projects

    add = parser.add_argument
    add(
        "act",
        choices=projects.ACTS,
        help="add, remove: add photos or remove them; move: move photos to the front; new, rename,"
        " delete, restore: the project itself; notes: show or replace its notes; cover: choose"
        " its cover, or none",
    )
    add("name", type=_named, metavar="NAME", help="name of the project; case does not matter")
    add(
        "words",
        nargs="*",
        type=_named,
        metavar="PHOTO",
        help="photo ids or paths; rename: the new name; notes: the text; cover: a photo",
    )


def _projects(parser: Parser) -> None:
    add = parser.add_argument
    add("name", nargs="?", type=_named, metavar="NAME", help="list the photos of this project")
    add("--removed", action="store_true", help="list deleted projects that can be restored")


def _retry(parser: Parser) -> None:
    from curator.cli import work

    parser.add_argument(
        "--stage", choices=work.stage_names(), metavar="S", help="retry only this stage"
    )


def _backfill(parser: Parser) -> None:
    from curator.cli import work

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
    add = parser.add_argument
    acts = ("check", "backups", "restore", "new-catalog")
    add(
        "act",
        nargs="?",
        type=_doctor_act,
        default="check",
        choices=acts,
        help="check: test this installation; backups: list backups; restore: restore one;"
        " new-catalog: start an empty catalog if yours is lost",
    )
    add(
        "backup",
        nargs="?",
        type=_named,
        metavar="BACKUP",
        help="restore: name of the backup; default: the newest intact one",
    )
    add("--yes", action="store_true", help="restore: do not ask")


def _desktop(parser: Parser) -> None:
    parser.add_argument(
        "act", choices=("add", "remove"), help="add Curator to the menu, or remove it"
    )


def _bench(parser: Parser) -> None:
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="measure only this")
    add("--photos", metavar="FOLDER", help="use real photos instead of drawn ones")
    add("--stock", metavar="FOLDER", help="keep the drawn library here, for a faster next run")
    add(
        "--times",
        type=_count,
        default=1,
        metavar="N",
        help="measure N times and compare their median with earlier results",
    )
    add(
        "--history",
        action="store_true",
        help="show earlier results with these options, and which changed beyond noise",
    )
    add(
        "--make-catalog",
        type=_named,
        metavar="HOME",
        help="make a home with a drawn library instead of measuring; open it with --home",
    )
    add(
        "--count", type=_count, default=100_000, metavar="N", help="number of photos in the library"
    )
    add("--apart", action="store_true", help=argparse.SUPPRESS)


def _open_window(invocation: Invocation) -> int:
    folders = [absolute(folder) for folder in invocation.arguments.folders]
    return invocation.open_window(invocation.home, invocation.settings, folders)


# To add a verb: a documented function of an Invocation, one that declares arguments, and one line.
VERBS: tuple[Verb, ...] = (
    Verb(
        "ingest",
        "work",
        "FOLDER... [--sample N] [--no-recursive] [--encoder auto|open_clip|starter|none]"
        " [--describe|--no-describe]",
        _ingest,
    ),
    Verb(
        "import",
        "importing",
        "[CARD...] --to DIR [--also DIR] [--folders TEMPLATE] [--names TEMPLATE] [--job NAME]"
        " [--keepers] [--eject] [--dry-run]",
        _import,
    ),
    Verb("imports", "importing", "[N]", _imports),
    Verb("photos", "photos", "[--filter EXPR] [--sort KEY] [--reverse] [--limit N]", _photos),
    Verb(
        "mark",
        "photos",
        "(--rate N | --keep | --pick | --reject | --unflag | --label NAME | --clear) PHOTO...",
        _mark,
    ),
    Verb("undo", "photos", "[N]", _times),
    Verb("redo", "photos", "[N]", _times),
    Verb("taste", "tastes", "[versions [N]|rollback N|unpin|keep]", _taste),
    Verb("tag", "tagging", "(add|remove|confirm PHOTO... NAME | rename|merge OLD NEW)", _tag),
    Verb("tags", "tagging", "[--prefix P] [--kind WORD]", _tags),
    Verb("search", "searching", "TEXT [--limit N]", _search),
    Verb("searches", "searching", "[add|remove NAME [TEXT]]", _searches),
    Verb("similar", "tastes", "PHOTO [--limit N]", _similar),
    Verb("describe", "describing", "PHOTO [--again]", _describe),
    Verb("faces", "faces", "PHOTO", _faces),
    Verb("text", "text", "PHOTO... [--again]", _text),
    Verb(
        "export",
        "exporting",
        "DIR [PHOTO...] [--target folder|gallery|sidecar] [--project NAME] [--preset NAME]"
        " [--as original|jpeg] [--dry-run]",
        _export,
    ),
    Verb(
        "project",
        "projects",
        "add|remove|move|new|rename|delete|restore|notes|cover NAME [PHOTO...]",
        _project,
    ),
    Verb("projects", "projects", "[NAME] [--removed]", _projects),
    Verb("rejects", "rejects", "[list|restore|empty] [PHOTO...] [--permanent] [--yes]", _rejects),
    Verb("folders", "work", "[add|remove|on|off|rescan FOLDER...]", _folders),
    Verb("encoder", "machine", "[download] [--yes]", _encoder),
    Verb(
        "sidecar",
        "sidecars",
        "read|write|embed|conflicts|status [PHOTO...] [--profile NAME] [--take SIDE] [--dry-run]"
        " [--yes]",
        _sidecar,
    ),
    Verb("status", "work"),
    Verb("failures", "work"),
    Verb("retry", "work", "[--stage S]", _retry),
    Verb("backfill", "work", "STAGE", _backfill),
    Verb("logs", "machine", "[--lines N]", _logs),
    Verb("settings", "machine", "[NAME=VALUE...]", _settings),
    Verb("keys", "machine", "[PRESET]", _keys),
    Verb("desktop", "desktop", "add|remove", _desktop),
    Verb("doctor", "doctor", "[backups|restore [BACKUP]|new-catalog] [--yes]", _doctor),
    Verb(
        "bench",
        "machine",
        "[--only NAME] [--count N] [--times N] [--history] [--make-catalog HOME]",
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
        parser = _verb_parser(common, words[at], with_list=any(map(_asks_for_help, words[:at])))
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


def _verb_parser(common: _Parser, asked: str, with_list: bool) -> Parser:
    """Build the parser of a verb; ``with_list`` its help before the verb lists all of them."""
    parser = _Parser("curator", parents=[common])
    below = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    for verb in VERBS:
        if verb.name != asked and not with_list:
            continue
        sub = below.add_parser(verb.name, help=verb.help, description=verb.help, parents=[common])
        if verb.name == asked:
            verb.arguments(sub)
        sub.set_defaults(run=verb.run)
    return parser


def _asks_for_help(word: str) -> bool:
    return word == "-h" or (len(word) > 2 and "--help".startswith(word))


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
