"""The RAIJIN_* variables of the environment: they override what the definition says.

| variables | what they change |
|---|---|
| RAIJIN_HOME | where Raijin keeps its state |
| RAIJIN_WORKER_SSH_USER, _SSH_KEY | how hosts of WORKER, STORAGE and INFRA groups are reached |
| RAIJIN_WORKER_LABELS, _ROLES | labels of those hosts; a role is a `node-role.kubernetes.io/` label |
| RAIJIN_NAS_TYPE, _IP, _SHARE, _USER, _PASSWORD | the first NAS of the (first) site |
| RAIJIN_STORAGE_CLASS_DEFAULT | `storageClassDefault` of the site |
| RAIJIN_WAN_PRIMARY, _SECONDARY, _WEIGHTS | interface and weight of the first and second internet link |
| RAIJIN_WAN_BALANCE, _FAILOVER_CHECK, _FAILOVER_TIMEOUT | how links are used and when one counts as down |
| RAIJIN_IDRAC_IP | the controller: of the host whose `power.address` it is, or of the only host |
| RAIJIN_IDRAC_USER, _PASSWORD, _ALERTS, _WEBHOOK | `power` of that host; of the whole site when no IP is given |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from raijin.definition.problems import did_you_mean, explain, shown
from raijin.errors import DefinitionError, Problem
from raijin.model.base import fault
from raijin.model.duration import parse_duration
from raijin.model.host import Host
from raijin.model.labels import Labels
from raijin.model.names import Address, HostName, InterfaceName, Url
from raijin.model.node_group import NodeRole
from raijin.model.power import Power, PowerMethod
from raijin.model.secret import Secret
from raijin.model.site import Site
from raijin.model.storage import Nas, NasType
from raijin.model.wan import WanBalance, WanLink

PREFIX = "RAIJIN_"
WORKER_ROLES = (NodeRole.WORKER, NodeRole.STORAGE, NodeRole.INFRA)
ROLE_LABEL = "node-role.kubernetes.io/"

_OWN_GROUPS = ("RAIJIN_WORKER_", "RAIJIN_NAS_", "RAIJIN_STORAGE_", "RAIJIN_WAN_", "RAIJIN_IDRAC_")


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [word.strip().partition("=") for word in value.split(",") if word.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise fault("is not a list of labels", "write it as in zone=rack-1,disk=ssd")
    return {key: text for key, _, text in pairs}


def _seconds(value: object) -> object:
    return timedelta(seconds=int(value)) if isinstance(value, str) and value.isdigit() else parse_duration(value)


class Overrides(BaseModel):
    """The variables that are set. Secrets may be references, as in files."""

    model_config = ConfigDict(
        alias_generator=lambda name: PREFIX + name.upper(),
        defer_build=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    home: Path | None = Field(default=None, description="Where Raijin keeps its state.")
    worker_ssh_user: str | None = Field(default=None, description="User who logs in to workers.")
    worker_ssh_key: Path | None = Field(default=None, description="Private key for workers.")
    worker_roles: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(), description="Roles of workers, with commas: worker,storage."
    )
    worker_labels: Annotated[Labels, BeforeValidator(_pairs)] = Field(
        default={}, description="Labels of workers: zone=rack-1,disk=ssd."
    )
    nas_type: NasType | None = Field(default=None, description="synology, truenas or qnap.")
    nas_ip: Address | None = Field(default=None, description="Address of the NAS.")
    nas_share: str | None = Field(default=None, description="Share of the NAS.")
    nas_user: str | None = Field(default=None, description="User of the NAS.")
    nas_password: Secret | None = Field(default=None, description="Password of that user, or a reference to it.")
    storage_class_default: HostName | None = Field(default=None, description="Name of the default StorageClass.")
    wan_primary: InterfaceName | None = Field(default=None, description="Interface of the first link.")
    wan_secondary: InterfaceName | None = Field(default=None, description="Interface of the second link.")
    wan_balance: WanBalance | None = Field(default=None, description="round-robin, weighted or failover.")
    wan_weights: Annotated[tuple[int, ...], BeforeValidator(_words)] = Field(
        default=(), description="Weights of the links, with commas: 70,30."
    )
    wan_failover_check: Address | None = Field(default=None, description="What must answer through a link.")
    wan_failover_timeout: Annotated[timedelta, BeforeValidator(_seconds)] | None = Field(
        default=None, description="Seconds until a link counts as down."
    )
    idrac_ip: Address | None = Field(default=None, description="Address of an iDRAC.")
    idrac_user: str | None = Field(default=None, description="User of the iDRAC.")
    idrac_password: Secret | None = Field(default=None, description="Password of that user, or a reference to it.")
    idrac_alerts: bool | None = Field(default=None, description="Subscribe to hardware alerts.")
    idrac_webhook: Url | None = Field(default=None, description="Where hardware alerts are sent.")

    def site(self, site: Site) -> Site:
        """The site with NAS, WAN, storage class and power replaced as the variables say."""
        changed: dict[str, object] = {}
        if self._nas_fields():
            changed["nas"] = self._nas(site)
        if self.storage_class_default:
            changed["storage_class_default"] = self.storage_class_default
        if self.wan_balance:
            changed["wan_balance"] = self.wan_balance
        links = self._wan(site)
        if links != site.wan_links:
            changed["wan_links"] = links
        changed |= self._power(site)
        return site.model_copy(update=changed) if changed else site

    def reach(self, host: Host, role: NodeRole | None) -> Host:
        """The host with the SSH settings of workers, if it is one."""
        ssh = {"user": self.worker_ssh_user, "key": self.worker_ssh_key}
        given = {name: value for name, value in ssh.items() if value is not None}
        if role not in WORKER_ROLES or not given:
            return host
        return host.model_copy(update={"ssh": host.ssh.model_copy(update=given)})

    def label(self, host: Host, role: NodeRole) -> Host:
        """The host with the labels of workers, if it is one."""
        extra = {ROLE_LABEL + name.lower(): "" for name in self.worker_roles} | self.worker_labels
        if role not in WORKER_ROLES or not extra:
            return host
        return host.model_copy(update={"labels": host.labels | extra})

    def member(self, host: Host, role: NodeRole) -> Host:
        """The host as a member of a group of that role: reached and labelled as the variables say."""
        return self.label(self.reach(host, role), role)

    def problems(self, site: Site | None) -> list[Problem]:
        """What the variables say that has nothing to act on."""
        found = []
        if self._nas_fields() and self.nas_ip is None and not (site and site.nas):
            found.append(Problem("RAIJIN_NAS_IP", "is missing", "set it beside the other RAIJIN_NAS_ variables"))
        if self.idrac_ip and site and self._idrac_host(site) is None:
            message = "is the power address of no host"
            remedy = "write it as power.address of the host that it belongs to"
            found.append(Problem("RAIJIN_IDRAC_IP", message, remedy, value=shown(self.idrac_ip)))
        return found

    def _nas_fields(self) -> dict[str, object]:
        fields = {"type": self.nas_type, "ip": self.nas_ip, "share": self.nas_share, "user": self.nas_user}
        given: dict[str, object] = {name: value for name, value in fields.items() if value is not None}
        return given | ({"password": self.nas_password} if self.nas_password else {})

    def _nas(self, site: Site) -> tuple[Nas, ...]:
        if site.nas:
            return (site.nas[0].model_copy(update=self._nas_fields()), *site.nas[1:])
        return (Nas.model_validate(self._nas_fields()),) if self.nas_ip else ()

    def _wan(self, site: Site) -> tuple[WanLink, ...]:
        links = list(site.wan_links)
        for at, interface in enumerate((self.wan_primary, self.wan_secondary)):
            if interface and at < len(links):
                links[at] = links[at].model_copy(update={"interface": interface})
            elif interface:
                links.append(WanLink(interface=interface))
        for at, weight in enumerate(self.wan_weights[: len(links)]):
            links[at] = links[at].model_copy(update={"weight": weight})
        checks = {"check": self.wan_failover_check, "check_timeout": self.wan_failover_timeout}
        given = {name: value for name, value in checks.items() if value is not None}
        return tuple(link.model_copy(update=given) for link in links) if given else tuple(links)

    def _idrac_host(self, site: Site) -> Host | None:
        owner = next((h for h in site.hosts if h.power and h.power.address == self.idrac_ip), None)
        only = site.hosts[0] if len(site.hosts) == 1 else None
        return owner or only

    def _power(self, site: Site) -> dict[str, object]:
        fields = {
            "user": self.idrac_user,
            "password": self.idrac_password,
            "alerts": self.idrac_alerts,
            "webhook": self.idrac_webhook,
        }
        given: dict[str, object] = {name: value for name, value in fields.items() if value is not None}
        if self.idrac_ip is None:
            return {"power": _redfish(site.power, given)} if given else {}
        host = self._idrac_host(site)
        if host is None:
            return {}
        power = _redfish(host.power, given | {"address": self.idrac_ip})
        hosts = tuple(h.model_copy(update={"power": power}) if h is host else h for h in site.hosts)
        return {"hosts": hosts}


def _redfish(power: Power | None, fields: dict[str, object]) -> Power:
    """`power` with these fields; an iDRAC that nothing else is said about speaks Redfish."""
    base = power or Power()
    if "method" not in base.model_fields_set:
        fields = {"method": PowerMethod.REDFISH} | fields
    return base.model_copy(update=fields)


def read_environment(environment: Mapping[str, str]) -> tuple[Overrides, list[Problem]]:
    """The overrides, and warnings about variables that look misspelt. An empty variable counts as not set."""
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    if not given:
        return Overrides.model_construct(), []
    if given.keys() == {"RAIJIN_HOME"}:  # nearly always: then nothing has to be validated
        return Overrides.model_construct(home=Path(given["RAIJIN_HOME"])), []
    try:
        overrides = Overrides.model_validate(given)
    except ValidationError as error:
        raise DefinitionError([_problem(item) for item in error.errors(include_url=False)]) from None
    known = [str(field.alias) for field in Overrides.model_fields.values()]
    strange = [name for name in given if name.startswith(_OWN_GROUPS) and name not in known]
    return overrides, [_misspelt(name, known) for name in strange]


def _problem(details: ErrorDetails) -> Problem:
    message, remedy = explain(details)
    name = str(details["loc"][0])
    value = details["input"]
    return Problem(name, message, remedy, value="" if "PASSWORD" in name else shown(value))


def _misspelt(name: str, known: list[str]) -> Problem:
    guess = did_you_mean(name, known)
    return Problem(name, "is not a variable that Raijin reads", f"did you mean {guess}?" if guess else "unset it")
