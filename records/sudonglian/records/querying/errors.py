"""What the query language refuses; `place` is the parameter.

EPCIS 2.0 §8.2.6 (QueryParameterException, QueryTooLargeException, QueryTooComplexException).
"""

from typing import ClassVar

from sudonglian.chain.errors import SudonglianError


class QueryRefused(SudonglianError):
    """A parameter that is not known here, or a value that it cannot have."""

    slug: ClassVar[str] = "query-parameter"


class QueryTooLarge(SudonglianError):
    """More events fit than the asker wants to hear of (maxEventCount)."""

    slug: ClassVar[str] = "query-too-large"


class QueryTooComplex(SudonglianError):
    """What is asked cannot be told in a bounded time."""

    slug: ClassVar[str] = "query-too-complex"
