"""What a run may do to a cluster at once, and what it does when a host fails."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from raijin.model.base import Model, fault
from raijin.model.choice import Choice
from raijin.model.duration import Duration, parse_duration


class OnHostFailure(Choice):
    """What a run does when a step fails on a host."""

    STOP = "STOP"
    SKIP = "SKIP"
    QUARANTINE = "QUARANTINE"


def _portion(value: str) -> str:
    match = re.fullmatch(r"(\d+)(%?)", value)
    if match is None or int(match[1]) < 1 or (match[2] and int(match[1]) > 100):
        raise fault("is neither a number of hosts nor a percentage", "write it as in 1 or 25%")
    return value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Portion = Annotated[str, BeforeValidator(_as_text), AfterValidator(_portion)]
"""A number of hosts or a percentage of them."""


class Policy(Model):
    """How careful runs are."""

    on_host_failure: OnHostFailure = Field(
        default=OnHostFailure.STOP,
        description="STOP: start nothing new. SKIP: go on without the host. QUARANTINE: go on, and leave the host "
        "alone in later plans until it is released. A control plane host always stops the run.",
    )
    max_unavailable: Portion = Field(
        default="1",
        description="How many workers may be out of service at once: a number or a percentage.",
        examples=[1, "25%"],
        json_schema_extra={"type": ["string", "integer"]},
    )
    drain_timeout: Duration = Field(
        default=parse_duration("10m"), description="How long pods may take to leave a node before the run gives up."
    )
    backup_before_upgrade: bool = Field(
        default=True, description="Whether a backup is made before the first control plane host is upgraded."
    )

    renew_certificates_below: Duration = Field(
        default=parse_duration("90d"),
        description="Certificates with less than this left are renewed by `apply`, or with less than a third of their "
        "life where that is shorter. 0s: only when they have expired.",
    )

    @property
    def renewal_days(self) -> float:
        return self.renew_certificates_below.total_seconds() / 86_400

    def unavailable_of(self, hosts: int) -> int:
        """`maxUnavailable` as a number, at least one."""
        if self.max_unavailable.endswith("%"):
            return max(1, math.floor(hosts * int(self.max_unavailable[:-1]) / 100))
        return int(self.max_unavailable)
