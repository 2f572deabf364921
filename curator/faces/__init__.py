"""Faces and eyes: measured on the original, and compared over the frames of a stack."""
