"""What one window shows, and what a person does with it.

:class:`Session` is the one object under the window. It owns its parts; none of them knows it.
"""

from curator.session.decisions import StepText, changed_marks
from curator.session.file_preview import FilePreview
from curator.session.file_preview_loader import FilePreviewLoader
from curator.session.progress import Progress
from curator.session.search_hints import Hint
from curator.session.session import Session

__all__ = [
    "FilePreview",
    "FilePreviewLoader",
    "Hint",
    "Progress",
    "Session",
    "StepText",
    "changed_marks",
]
