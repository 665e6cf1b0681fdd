"""The door's own state: the deployment, what runs in the background, what is counted. One for a process.

service.md (stateless processes): nothing here outlives the process that another one would miss.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import cast

from fastapi import Request

from sudonglian.api.http.metrics import Metrics
from sudonglian.api.signing_in import Attempts
from sudonglian.chain.identifiers.digital_link import DOMAIN
from sudonglian.chain.network import Network
from sudonglian.records.keys import Keys
from sudonglian.records.signatures import NoRegistry
from sudonglian.records.store import Store
from sudonglian.records.temperature.classes import ProductClass, known


def no_network() -> Network:
    """Be the chain of a door that was given none."""
    raise NoRegistry("this process knows no chain")


@dataclass
class Door:
    """What the routes are given."""

    store: Store
    keys: Keys
    seal_after_s: int
    rate: int
    """Requests a second for one caller; 0 for any number."""
    company_prefixes: frozenset[str] = frozenset()
    """By which Digital Links become EPC URNs, beside those that an answer itself tells."""
    resolver: str = DOMAIN
    """The address before the Digital Links of labels."""
    network: Callable[[], Network] = no_network
    """The chain whose registry knows the parties' keys, opened when it is first asked."""
    classes: Mapping[str, ProductClass] = field(default_factory=known)
    """The product classes by which temperatures are judged."""
    smallest_count: int = 5
    """Counts of people below it are hidden."""
    submitter: str | None = None
    """Whose records of the authority are: what was done to goods, and what people said; None if nobody has said so."""
    webhook_hosts: frozenset[str] = frozenset()
    """Hosts inside one's own network that webhooks may lead to."""
    metrics: Metrics = field(default_factory=Metrics)
    attempts: Attempts = field(default_factory=Attempts)
    """Attempts to sign in that were not right, by address."""
    wake: Event = field(default_factory=Event)
    """Set when a job waits."""
    worker_ended: str = ""
    """The slug of what ended this server's worker; empty while there is one."""
    worker_restarts: int = 0

    def end_worker(self, slug: str) -> None:
        """Note that the worker has ended, and by what."""
        self.worker_ended = slug

    def begin_worker(self) -> None:
        """Note that another worker has begun in its place."""
        self.worker_ended = ""
        self.worker_restarts += 1
        self.metrics.count("sudonglian_worker_restarts_total")


def door_of(request: Request) -> Door:
    """Return the door that a request came through."""
    return cast(Door, request.app.state.door)
