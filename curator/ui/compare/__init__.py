"""Compare and survey: photos side by side."""
