"""A mesh: what several clusters share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from raijin.model.base import NON_EMPTY, FreeDict, Model
from raijin.model.choice import Choice
from raijin.model.names import Name


class ClusterMesh(Model):
    """Services and network policies across clusters, by Cilium ClusterMesh."""

    enabled: bool = Field(default=True, description="Connect the clusters.")
    configuration: FreeDict = Field(default={}, description="Settings handed to Cilium as they are.")


class Federation(Model):
    """Metrics of several clusters in one Prometheus."""

    central: Name = Field(description="The cluster whose Prometheus collects from the others.")
    sources: tuple[Name, ...] = Field(default=(), description="The clusters it collects from; default: all others.")
    match: tuple[str, ...] = Field(default=(), description="Series selectors; default: all series of nodes and pods.")


class ReplicationType(Choice):
    """What is replicated."""

    POSTGRESQL = "POSTGRESQL"


class Replication(Model):
    """A database that one cluster writes and others follow."""

    name: Name = Field(description="Name of the database.")
    type: ReplicationType = Field(default=ReplicationType.POSTGRESQL, description="What is replicated.")
    primary: Name = Field(description="The cluster that writes.")
    replicas: Annotated[tuple[Name, ...], NON_EMPTY] = Field(
        description="The clusters that follow.", json_schema_extra={"minItems": 1}
    )


class Mesh(Model):
    """Several clusters that work together."""

    kind: Literal["Mesh"] = Field(default="Mesh", description="Says that this document is a Mesh.")
    name: Name = Field(description="Name of the mesh.")
    clusters: Annotated[tuple[Name, ...], NON_EMPTY] = Field(
        description="The clusters of the mesh, by name.", json_schema_extra={"minItems": 1}
    )
    cluster_mesh: ClusterMesh | None = Field(default=None, description="Network and services across clusters.")
    federation: Federation | None = Field(default=None, description="Metrics in one place.")
    replication: tuple[Replication, ...] = Field(default=(), description="Databases replicated between clusters.")
