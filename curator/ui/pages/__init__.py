"""Pages that take a view's place."""
