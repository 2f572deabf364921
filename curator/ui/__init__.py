"""The window: the only package that imports QtGui and QtWidgets.

    main_window             builds pages and edges, and decides which page shows
    window_layout           where they lie
    window_keyboard         the keys in use
    window_actions          dialogs, folders and files; external_editor opens originals
    photo_menu              the context menu of photos
    file_drop               files dragged over the window
    pipeline_notifications  reports background work
    single_instance         a second start finds the first

Rooms, from low to high; each imports from lower ones only, which tests/architecture checks:

    widgets     theme, layouts, texts, decoded frames, thumbnails, rows, tables, base dialogs
    grid        the grid: arithmetic, tiles, view
    loupe       one photo: viewport, pan and zoom, full-resolution cache, painter, filmstrip
    compare     photos side by side
    dialogs     export, rejects, settings, command palette, tag entry
    panels      top bar, sidebar, inspector, status line
    notices     the notification bar, and what models and sidecars report there
    pages       what fills the window: finish page, overview, help, file preview, projects, taste

No view decodes, queries the catalog for a list, or keeps state that another view needs: the session
owns state, and its signals say what to draw again.
"""
