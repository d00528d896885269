"""certificates: those that lie on the hosts, of the platforms whose certificates Raijin looks after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.facts.base import Unknown
from raijin.facts.certificates import Certificate
from raijin.platforms.renewal import Certificates, Keeper, certificates_by, held, is_due
from raijin.platforms.view import HostView
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.seen import Seen
from raijin.validation.subject import Place

NAME = "certificates"
RENEW = "`raijin apply` renews them"
ROTATE = "`raijin cluster certificates rotate-ca` replaces the authority"


def certificates(seen: Seen) -> Iterable[Finding]:
    """What has expired, what is due, and what ends first on each host."""
    care = certificates_by(seen.subject.platform)
    for place in seen.subject.places if care is not None else ():
        if not place.left_out and care is not None:
            yield from _of_host(care, seen, place)


def soonest(seen: Seen) -> tuple[str, Certificate] | None:
    """The host and the certificate that ends first of all; None when none was seen."""
    care = certificates_by(seen.subject.platform)
    if care is None:
        return None
    views = ((host, view) for host, view in seen.hosts.items() if isinstance(view, HostView))
    found = [(host, c) for host, view in views for c in held(care, view) if not c.fault]
    return min(found, key=lambda one: one[1].ends, default=None)


def ending(certificate: Certificate, at: float) -> str:
    """`2027-11-27 (365 days left)`. at: seconds since the epoch."""
    left = certificate.days_left(at)
    return f"{certificate.last_day} ({f'{left:.0f} days left' if left > 0 else f'{-left:.0f} days ago'})"


def _of_host(care: Certificates, seen: Seen, place: Place) -> Iterator[Finding]:
    view, name = seen.hosts.get(place.name, "it was not asked"), place.name
    why = view if isinstance(view, str) else getattr(view.facts.certificates, "unknown", "")
    if isinstance(view, str) or isinstance(view.facts.certificates, Unknown):
        yield Finding(NAME, name, Grade.UNKNOWN, f"its certificates are not known: {why}", "look at the machine")
        return
    found, limit = held(care, view), seen.subject.renew_below
    unread = [c for c in found if c.fault]
    over = [c for c in found if c.is_expired(seen.at)]
    due = [c for c in found if c not in over and is_due(c, care.keeper(c), seen.at, limit)]
    if over:
        yield Finding(NAME, name, Grade.FAILED, f"expired: {_told(over, seen.at)}", _remedy(care, over))
    if due:
        yield Finding(NAME, name, Grade.WARNING, f"about to expire: {_told(due, seen.at)}", _remedy(care, due))
    if unread:
        text = f"cannot be read: {few(f'{c.path}: {c.fault}' for c in unread)}"
        yield Finding(NAME, name, Grade.WARNING, text, "look at the file on the host")
    if not found:
        yield Finding(NAME, name, Grade.WARNING, "it has no certificate of a node", "`raijin apply`")
    elif not (over or due or unread):
        first = min(found, key=lambda c: c.ends)
        yield Finding(NAME, name, Grade.OK, f"{first.name} is the first to end, on {ending(first, seen.at)}")


def _told(certificates: list[Certificate], at: float) -> str:
    in_order = sorted(certificates, key=lambda c: c.ends)
    return few((f"{c.name} on {ending(c, at)}" for c in in_order), 3)


def _remedy(care: Certificates, concerned: list[Certificate]) -> str:
    return ROTATE if all(care.keeper(c) is Keeper.AUTHORITY for c in concerned) else RENEW
