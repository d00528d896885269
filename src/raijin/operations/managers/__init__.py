"""Package managers, one file each: which packages are there, add these, remove exactly these, list all.

PM_installed NAMES  prints `NAME|installed` for those that are
PM_add NAMES        installs them without asking; repairs and refreshes what stands in the way
PM_remove NAMES     removes these and nothing that depends on them
PM_list             prints the name of every installed package
"""

from raijin.operations.managers.apk import APK
from raijin.operations.managers.apt import APT
from raijin.operations.managers.dnf import DNF
from raijin.operations.managers.rpm import RPM
from raijin.operations.managers.zypper import ZYPPER

CHOICE = r"""
PM=
package_manager() { # sets PM, or says in REASON that there is none
  [ -z "$PM" ] || return 0
  if have apt-get && have dpkg-query; then PM=apt
  elif have dnf; then PM=dnf
  elif have zypper; then PM=zypper
  elif have apk; then PM=apk
  else refuse 'no package manager that Raijin knows (apt, dnf, zypper, apk)'; return 2; fi
}
"""

MANAGERS = (CHOICE, APT, RPM, DNF, ZYPPER, APK)

__all__ = ["CHOICE", "MANAGERS"]
