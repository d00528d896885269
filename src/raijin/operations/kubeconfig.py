"""Kubeconfigs that trust what a file of authorities holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, absolute
from raijin.transport.quoting import word

# The data is one word of base64 on a line of its own, as kubeadm and kubectl write it.
LIBRARY = r"""
kubeconfig_data() { # kubeconfig: sets DATA
  DATA=$(sed -n 's/^ *certificate-authority-data: *//p' "$1" | head -n 1)
}
kubeconfig_check() { # kubeconfig authorities
  [ -f "$1" ] || return 0
  if [ "$MODE" = check ]; then
    case $TOUCHED in *"$NL$2$NL"*) differs authorities 'as before' "those of $2"; return 1;; esac
  fi
  [ -f "$2" ] || { refuse "$2 does not exist"; return 2; }
  ! grep -qxF "    certificate-authority: $2" "$1" || return 0 # it names the file itself
  kubeconfig_data "$1"
  [ -n "$DATA" ] || { refuse "$1 holds no certificate-authority-data"; return 2; }
  [ "$DATA" != "$(base64 <"$2" | tr -d '\n')" ] || return 0
  differs authorities 'others' "those of $2"
  return 1
}
kubeconfig_change() {
  k_data=$(base64 <"$2" | tr -d '\n')
  [ -n "$k_data" ] || { REASON="$2 is empty"; return 1; }
  k_text=$(sed "s|^\( *certificate-authority-data: *\).*|\1$k_data|" "$1"; printf x)
  k_text=${k_text%x}
  case $k_text in *"$k_data"*) ;; *) REASON="$1 cannot be read"; return 1;; esac
  look "$1"
  put "$1" "$P_MODE" "$P_OWNER" "$P_GROUP" "$k_text"
}
"""


@dataclass(frozen=True, slots=True)
class KubeconfigTrust(Operation):
    """A kubeconfig that takes for the cluster's who is signed by one of the authorities in a file (PEM).

    path: of the kubeconfig; one that does not exist is as wanted. It keeps no receipt: see Credential.
    """

    path: str
    authorities: str
    kind: Literal["kubeconfig"] = "kubeconfig"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        absolute(self.path)
        absolute(self.authorities)

    @property
    def title(self) -> str:
        return f"authorities in {self.path}"

    def manual(self) -> tuple[str, ...]:
        config = f"kubectl --kubeconfig {word(self.path)} config"
        name = f"$({config} view -o 'jsonpath={{.clusters[0].name}}')"
        return (f"{config} set-cluster {name} --certificate-authority={word(self.authorities)} --embed-certs",)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        del resolve
        return (self.path, self.authorities)
