"""Three control planes behind haproxy and keepalived. They run where RAIJIN_LAB_PARTS names `ha`: ten minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.conftest import PARTS, LabSite, make_site
from tests.lab.test_cluster import assert_destroyed, nodes
from tests.lab.test_ha import GAPS, assert_taken_over, define

from raijin.model.virtual_ip import VipProvider

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif("ha" not in PARTS, reason="RAIJIN_LAB_PARTS does not name ha"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[LabSite]:
    for site in make_site(tmp_path_factory.mktemp("balanced"), bundle, 4):
        for name in site.names[:3]:
            # keepalived needs libperl, which needs the newest perl-base: apt would upgrade it, and cannot go back.
            site.ssh(name, "apt-get update -qq; apt-get install -y -qq --only-upgrade perl-base >/dev/null 2>&1")
        yield site


def test_requests_go_to_every_api_server(site, kubernetes, before) -> None:
    planes = site.names[:3]
    define(site, kubernetes, planes, [site.names[3]], VipProvider.KEEPALIVED)
    site.apply()
    assert nodes(site) == dict.fromkeys(site.names, True)
    assert site.plan()["steps"] == []


def test_the_holder_of_the_address_loses_its_power(site) -> None:
    """A client sees a gap of less than five seconds."""
    assert_taken_over(site, GAPS[VipProvider.KEEPALIVED])


def test_destroy_leaves_nothing_behind(site, before) -> None:
    assert_destroyed(site, before)
