"""Dialogs and entries over the window."""
