"""What commands ask of the window: dialogs, pages, and moves that depend on the layout.

A command emits the signal; the window, or the view in front, connects to it. The session itself
opens no dialog.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Requests(QObject):
    """One signal for each thing that a command asks of the window.

    Thread: GUI only.
    """

    # the view in front
    zoom_requested = Signal()
    face_requested = Signal(object)  # zoom to the face at this place, 0 the largest; None: the next
    resize_requested = Signal(int)  # 1: zoom in or show larger thumbnails; -1: the opposite
    row_requested = Signal(int)  # move so many rows down
    page_requested = Signal(int)  # move so many screens down
    candidate_swap_requested = Signal(int)  # swap the current photo with this candidate, from 0

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
    import_requested = Signal()
    export_requested = Signal(object)  # set[int]: export these photos; None: choose by the scope

    # files and folders
    add_folder_requested = Signal()
    remove_folder_requested = Signal(int)  # its id
    rescan_folder_requested = Signal(int)  # its id
    show_file_requested = Signal(int)  # show the file of this photo
    show_path_requested = Signal(str)  # show a folder
    editor_requested = Signal(object)  # list[int]: open the originals of these photos

    # tags, saved searches, projects
    tag_entry_requested = Signal(object)  # list[int]: the photos to tag
    rename_tag_requested = Signal(str)
    save_search_requested = Signal()
    rename_search_requested = Signal(object)  # its Scope
    remove_search_requested = Signal(object)  # its Scope
    choose_project_requested = Signal()
    add_to_project_requested = Signal()
    new_project_requested = Signal(str, object)  # a proposed name; list[int]: photos to add
    edit_project_requested = Signal(int)  # its id
    remove_project_requested = Signal(int)  # its id
    related_photos_requested = Signal()
