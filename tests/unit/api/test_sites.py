"""Sites as the picture of the topology asks for them. Law: a file that is wrong hides none of the others."""

from __future__ import annotations

OTHER = """\
kind: Cluster
name: other
type: VANILLA
version: v1.34.2
nodeGroups: [{name: control-plane, role: CONTROL_PLANE, hosts: [%s]}]
"""


async def test_a_site_shows_its_hosts_and_who_stands_on_them(server) -> None:
    (server.service.folder / "other.yaml").write_text(OTHER % "n3")
    (row,) = (await server.get("/sites")).json()["sites"]
    assert "n3" in [host["name"] for host in row["hosts"]]
    assert [(c["name"], c["hosts"]) for c in row["clusters"]] == [("other", [{"name": "n3", "role": "CONTROL_PLANE"}])]


async def test_a_file_whose_content_is_wrong_hides_none_of_the_others(server) -> None:
    """Its YAML is right: only whoever reads it as a definition finds the fault."""
    (server.service.folder / "right.yaml").write_text(OTHER.replace("other", "right") % "n3")
    (server.service.folder / "other.yaml").write_text(OTHER % "nobody")
    answer = await server.get("/sites")
    assert answer.status_code == 200
    (row,) = answer.json()["sites"]
    assert [cluster["name"] for cluster in row["clusters"]] == ["right"]
