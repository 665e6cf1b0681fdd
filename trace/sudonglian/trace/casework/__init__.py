"""Casework: the one caller that runs a trace for a door, and leaves a record of who asked what for."""
