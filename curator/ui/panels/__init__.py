"""The panels around a view: sidebar, inspector, bars."""
