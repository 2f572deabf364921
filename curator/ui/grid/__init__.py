"""The grid: the view, its arithmetic, its tiles and their thumbnails."""
