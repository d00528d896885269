"""Typed, idempotent changes of a host, and the programs that they are compiled into.

base.py says what an operation is; each kind has a file of its own. prelude.py, probing.py and receipts.py are the shell
that all share, program.py joins it all into one script, report.py reads what the script says.
"""

from raijin.operations.absent import Absent
from raijin.operations.address import AddressFree
from raijin.operations.chains import ChainsAbsent
from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.credential import Credential
from raijin.operations.fixed import Fixed
from raijin.operations.forget import Forget
from raijin.operations.image import Image
from raijin.operations.kubeconfig import KubeconfigTrust
from raijin.operations.link import LinkAbsent
from raijin.operations.reboot import Reboot
from raijin.operations.restart import Restart
from raijin.operations.restore import Restore
from raijin.operations.routes import RoutesAbsent
from raijin.operations.staticpod import StaticPod
from raijin.operations.undoable import UNDOABLE
from raijin.operations.wait import Wait

_ENDING = (Absent, LinkAbsent, RoutesAbsent, ChainsAbsent, ContainersAbsent, Restore, Forget)
_KEYS = (Credential, KubeconfigTrust)
CATALOGUE = (
    *UNDOABLE, Image, Command, Wait, Reboot, Restart, StaticPod, *_KEYS, Fixed, Claim, AddressFree, *_ENDING,
)  # fmt: skip
"""Every kind of operation, those that keep receipts first."""

__all__ = ["CATALOGUE"]
