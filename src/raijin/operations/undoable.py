"""The kinds of operation that keep receipts, and so know how to put back what they changed."""

from raijin.operations.archive import Archive
from raijin.operations.directory import Directory
from raijin.operations.download import Download
from raijin.operations.file import File
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.install import Install
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.line import Line
from raijin.operations.mount import Mount
from raijin.operations.package import Package
from raijin.operations.repository import Repository
from raijin.operations.swap import Swap
from raijin.operations.sysctl import Sysctl
from raijin.operations.template import Template
from raijin.operations.unit import Unit
from raijin.operations.user import User

UNDOABLE = (
    File, Template, Directory, Line, Install, Download, Archive,
    Package, Repository, Unit, Sysctl, KernelModule, KernelArguments, Hostname, Group, User, Mount, Swap,
)  # fmt: skip
