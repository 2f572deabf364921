"""The photos of a catalog as columns in memory, and what filters, sorts and counts them."""
