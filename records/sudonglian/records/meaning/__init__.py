"""Meaning: what cannot be right though the schema allows it; warnings, unless a profile raises them to errors."""
