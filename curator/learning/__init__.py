"""The live taste learner over the catalog."""
