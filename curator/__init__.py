"""Curator: point at a photo folder, cull and rate by keyboard, export the approved set.

The map. A module may import from the rows above its own, never from below or beside.

    model       the words: photos, marks, decisions, results and errors; standard library only
    private     folders and files that are their owner's alone; secrets left out of texts
    file_lock   locks on files and folders that end with their process
    atomic      files written whole or not at all, plain files read; what killed processes left
    arrays      arrays by name as bytes, never a pickle; numpy
    deadline    how long work on one file may take, by its size

    opened_folder  a folder held open: every act by a name stays inside it and follows no link

    settings    defaults < file < environment (CURATOR_...) < flags; where things live (home)

    exiftool    find and run exiftool, which writes into originals and copies when asked to
    sidecar     read and merge XMP without losing what others wrote: bytes in, bytes out

    files       walk folders, pair RAW and JPEG, identify a file by its content
    volumes     mounted volumes, and how to recognize a drive under another name
    imaging     file -> pixels, capture data, sharpness and exposure, proxy; rawpy, Pillow, OpenCV
    taste       one person's taste learned from their stars: numpy in, numpy out
    catalog     the SQLite file: schema, migrations, decisions and their journal; peewee
    workers     spawned processes that may crash, hang or be killed without harm; multiprocessing

    encoders    ENCODERS: picture -> vector; open_clip, starter; the only importer of torch
    vision      PROVIDERS: picture -> words; ollama, openai_compatible; the only one to connect

    stages      STAGES: peek, convert, embed, describe; one file each, plain functions; all but
                describe, which waits for a server on a thread, run in a worker;
                stack: which photos are shown as one, columns in, columns out
    export      TARGETS: the approved set out of the house; folder, gallery, sidecar

    removal     the files of rejects: exactly what would go, and the going; Send2Trash

    learning    the live taste learner: vectors in memory, predictions, comparisons, versions
    library     photos as columns in memory: search language, filters, sort orders, statistics
    pipeline    the conductor: asks what is pending, keeps a bounded window in flight, saves
    session     what one window shows: scope, mode, list, current photo, selection, undo
    commands    every user action as a function with a docstring
    keymap      KEYMAP: the whole keyboard as one table over COMMANDS
    keyboard    the keys in use: KEYMAP, a preset of resources/keys, what a person changed
    ui          the window; the only package that imports QtGui and QtWidgets
    cli         the same verbs without a window
    app         composition root: settings -> catalog -> pipeline -> session -> window

    bench       the figures of the speed bars, each with its reference; draws its own photos
    __main__    `python -m curator`: a verb goes to cli, anything else opens the window

A photo's life: files finds it, the catalog gets a row, peek reads its header, convert decodes it
once in a worker (capture data, scores, proxy, thumbnail), and where there is an encoder, embed
turns the proxy into a vector in a process of its own; what belongs together is stacked, by time at
once, by looks and vectors as they come. A key's life: a QAction calls a command, the
session makes a decision, the catalog commits it and its undo step, the views redraw; then taste
learns from it on a thread and every photo's match score moves in memory.
`tests/architecture` holds the code to this page.
"""

__version__ = "0.1.0"
