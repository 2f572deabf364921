"""What commands ask of the window: dialogs, pages, and moves that depend on the layout.

A command emits the signal; the window, or the view in front, connects to it. The session itself
opens no dialog.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Requests(QObject):
    """One signal for each thing that a command asks of the window.

    Signals with an argument:
        resize_requested(int): zoom in or show larger thumbnails (1), or the opposite (-1).
        row_requested(int), page_requested(int): move so many rows or screens down.
        candidate_swap_requested(int): swap the current photo with this candidate, from 0.
        export_requested(set[int] | None): export these photos; None: choose by the scope.
        show_file_requested(int), show_path_requested(str): show a photo's file, or a folder.
        editor_requested(list[int]): open the originals of photos in the editor.
        tag_entry_requested(list[int]), rename_tag_requested(str).
        rename_search_requested(Scope), remove_search_requested(Scope).
        edit_project_requested(int), remove_project_requested(int): by id.
        new_project_requested(str, list[int]): with a proposed name, and photos to put in.
        remove_folder_requested(int), rescan_folder_requested(int): by id.

    Thread: GUI only.
    """

    # the view in front
    zoom_requested = Signal()
    resize_requested = Signal(int)
    row_requested = Signal(int)
    page_requested = Signal(int)
    candidate_swap_requested = Signal(int)

    # parts of the window
    sidebar_requested = Signal()
    search_requested = Signal()
    orders_requested = Signal()
    menu_requested = Signal()
    palette_requested = Signal()
    dismissal_requested = Signal()
    tour_requested = Signal()
    quit_requested = Signal()

    # pages and dialogs
    overview_requested = Signal()
    taste_requested = Signal()
    help_requested = Signal()
    settings_requested = Signal()
    vision_settings_requested = Signal()
    failures_requested = Signal()
    sidecars_requested = Signal()
    delete_rejects_requested = Signal()
    file_preview_requested = Signal()
    export_requested = Signal(object)

    # files and folders
    add_folder_requested = Signal()
    remove_folder_requested = Signal(int)
    rescan_folder_requested = Signal(int)
    show_file_requested = Signal(int)
    show_path_requested = Signal(str)
    editor_requested = Signal(object)

    # tags, saved searches, projects
    tag_entry_requested = Signal(object)
    rename_tag_requested = Signal(str)
    save_search_requested = Signal()
    rename_search_requested = Signal(object)
    remove_search_requested = Signal(object)
    choose_project_requested = Signal()
    add_to_project_requested = Signal()
    new_project_requested = Signal(str, object)
    edit_project_requested = Signal(int)
    remove_project_requested = Signal(int)
    related_photos_requested = Signal()
