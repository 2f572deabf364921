"""The grid view and its tiles."""
