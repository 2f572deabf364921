"""Widgets and drawing that several rooms of the window share; none of them imports a room."""
