"""Identifiers: the normal form under which an index finds them, and their check characters."""

from sudonglian.records.identifiers.event import EventIdentifier, identifiers_of
from sudonglian.records.identifiers.normal import IdentifierRefused, check, normal, to_urn

__all__ = ["EventIdentifier", "IdentifierRefused", "check", "identifiers_of", "normal", "to_urn"]
