"""What is on the table, and the photos in memory it is made from.

:class:`Session` is the one object under the window; :class:`Table` and the filter language in
:mod:`curator.library.filters` serve the command line too.
"""

from curator.session.file_preview import FilePreview, FilePreviewLoader
from curator.session.progress import Progress
from curator.session.search_hints import Hint, hints
from curator.session.session import Session, Words, changed_marks

__all__ = [
    "FilePreview",
    "FilePreviewLoader",
    "Hint",
    "Progress",
    "Session",
    "Words",
    "changed_marks",
    "hints",
]
