"""The loupe: one photo, its overlays, the filmstrip."""
