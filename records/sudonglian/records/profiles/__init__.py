"""Profiles: what a law or standard wants of a document, as a table; read and applied here (docs/profiles.md)."""
