"""The window: the only package that imports QtGui and QtWidgets.

    main_window     builds pages and edges, decides which page shows
    window_layout   where they lie; window_keyboard the keys in use; window_actions dialogs and
                    files; pipeline_notifications reports background work; file_drop dragged files
    single_instance a second start finds the first

Rooms, from low to high; each imports from lower ones only, which tests/architecture checks:

    widgets     theme, texts, decoded frames and thumbnails, rows, tables, chips, base dialogs
    grid        the grid: arithmetic, tiles, view
    loupe       one photo: viewport, pan and zoom, full-resolution cache, painter, filmstrip
    compare     photos side by side
    dialogs     export, rejects, settings, command palette, tag entry
    panels      top bar, sidebar, inspector, status line, notifications
    pages       what fills the window: finish page, overview, help, file preview, projects, taste

No view decodes, queries the catalog for a list, or keeps state that another view needs: the session
owns state, and its signals say what to draw again.
"""
