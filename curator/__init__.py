"""Curator: point at a photo folder, cull and rate by keyboard, export the approved set.

The map. A module may import from the rows above its own, never from below or beside.

    model       shared types: photos, marks, decisions, results, errors; standard library only
    private     folders and files only their owner may open; secrets masked in texts
    file_lock   locks on files and folders that end with their process
    installing  commands and remedies that add packages to this installation
    atomic      write files completely or not at all; remove what killed processes left
    arrays      named arrays as bytes, never a pickle; numpy
    deadline    more time for work on large files
    naming      names of files and folders from templates, valid on every system

    opened_folder  a folder held open: operations by name stay inside it and follow no links

    home        where things live: catalog, cache, log, resources; typed paths
    settings    defaults < file < environment (CURATOR_...) < flags; pydantic

    exiftool    find and run exiftool, which writes into originals and copies
    sidecar     read and merge XMP without losing what others wrote: bytes in, bytes out

    files       walk folders, pair RAW and JPEG, identify a file by its content
    volumes     mounted volumes, and how to recognize a drive under another name
    imaging     file -> pixels, capture data, sharpness and exposure, proxy; rawpy, Pillow, OpenCV
    taste       the taste of one person, learned from ratings; numpy and scikit-learn
    catalog     the SQLite file: schema, migrations, decisions and their journal; peewee
    workers     spawned processes that may crash, hang or be killed without harm; multiprocessing

    networks    files in resources/models, checked, loaded and run; OpenCV
    faces       faces and eyes: found, measured, compared over the frames of a stack; OpenCV
    ocr         text in photos: found, and read as lines with their places; OpenCV
    encoders    ENCODERS: picture -> vector; starter, open_clip; the only importer of torch
    vision      PROVIDERS: picture -> words; ollama, openai_compatible; connects to their server
    cards       memory cards: find, recognize and eject them

    stages      STAGES: peek, convert, faces, embed, describe, read_text; one file each, plain
                functions; all but describe, which waits for a server on a thread, run in a worker;
                stack: which photos are shown as one, columns in, columns out
    export      TARGETS: write the approved photos to a folder, a gallery or sidecars

    removal     move the files of rejected photos to the trash, exactly as planned; Send2Trash
    importing   copy what is new from memory cards, verified; nothing on a card is ever changed

    learning    the live taste learner: vectors in a file, predictions, comparisons, versions
    library     photos as columns in memory: search language, filters, sort orders, statistics
    pipeline    the conductor: finds pending work, keeps a bounded part in flight, saves results
    session     what one window shows: scope, mode, list, current photo, selection, undo
    commands    COMMANDS: every user action as a function with a docstring
    keymap      KEYMAP: the whole keyboard as one table over COMMANDS
    keyboard    the keys in use: KEYMAP, a preset of resources/keys, the user's changes
    ui          the window; the only package that imports QtGui and QtWidgets
    cli         the same verbs without a window
    app         composition root: settings -> catalog -> pipeline -> session -> window

    bench       measure speed, each figure with a reference; draws its own photos
    __main__    `python -m curator`: a verb goes to cli, anything else opens the window

Only `vision` (to the configured provider) and `encoders.hub` (for weights) open connections.

The life of a photo: files finds it, the catalog gets a row, peek reads its header, convert decodes
it once in a worker (capture data, scores, proxy, thumbnail), faces finds faces on the proxy and
measures them on the original, and embed turns the proxy into a vector in another process. Photos
that belong together are stacked: by time at once, by similarity as hashes and vectors arrive. The
life of a key: a QAction calls a command, the session makes a decision, the catalog commits it and
its undo step, the views redraw; then taste learns from it on a thread and every match score is
updated in memory.
`tests/architecture` checks the code against this map.
"""

__version__ = "0.1.0"
