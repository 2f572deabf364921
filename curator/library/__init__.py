"""Photos as columns in memory, and every question about them."""
