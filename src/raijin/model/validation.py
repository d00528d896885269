"""What must hold before a new cluster counts as done."""

from __future__ import annotations

from pydantic import Field

from raijin.model.base import Model


class Validation(Model):
    """What must hold before a new cluster counts as done."""

    wait_for_cluster: bool = Field(default=True, description="Wait until the checks pass.")
    timeout_minutes: int = Field(default=30, ge=1, description="How long to wait before the run fails.")
    health_checks: tuple[str, ...] = Field(
        default=(), description="Checks to pass, by name.", examples=[["node-readiness", "api-availability"]]
    )
