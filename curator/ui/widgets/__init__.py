"""Parts every view is made of."""
