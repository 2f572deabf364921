"""What one window shows, and what a person does with it.

:class:`Session` is the one object under the window. It owns its parts; none of them knows it.
"""

from curator.session.decisions import StepText
from curator.session.file_preview import FilePreviewLoader
from curator.session.session import Session
from curator.session.statistics import PassProgress

__all__ = ["FilePreviewLoader", "PassProgress", "Session", "StepText"]
