"""Every error that Raijin raises on purpose, drawn as one tree.

    RaijinError                     exit  HTTP
    ├── UsageError                     2   400  the command line or request itself is wrong
    │   ├── EditRefused                2   400  a file is written in a way that cannot be edited safely
    │   ├── RequestInvalid             2   422  a field of a request is missing, unknown or of the wrong type
    │   ├── RequestTooLarge            2   413  a request is larger than the server reads
    │   ├── MediaTypeUnsupported       2   415  the body of a request is not of a type that is read
    │   ├── MethodNotAllowed           2   405  the address is right, the method is not
    │   └── KeyReused                  2   409  an Idempotency-Key was used for another request
    ├── DefinitionError                3   422  the definition (YAML) is wrong; carries every problem found
    ├── PlanRefused                    4   409  a correct definition that must not or cannot be carried out
    │   └── Unsupported                4   422  ... because Raijin cannot serve this part yet
    ├── StalePlan                      5   409  the world moved after the plan was made
    │   └── PreconditionFailed         5   412  ... or a document moved after it was read
    ├── Locked                         6   423  another run holds the cluster
    ├── HostError                      7   502  a host could not be used
    │   ├── HostUnreachable            7   502  no TCP connection or no answer
    │   ├── AuthenticationFailed       8   502  SSH or sudo refused us
    │   ├── HostKeyMismatch            9   502  the host is not who it was
    │   └── OperationFailed           10   502  an operation failed on the host
    │       └── ApiLost               10   502  ... because the cluster's API was away meanwhile; it is tried again
    ├── ArtifactError                 11   502  a binary or image is missing or unobtainable
    │   └── ChecksumMismatch          12   502  ... or is not what the lock file says
    ├── KubernetesError               13   502  the cluster's API refused or failed
    │   └── KubernetesUnavailable     13   502  ... or did not answer; the same request may succeed later
    ├── DeadlineExceeded              14   504  a condition did not become true in time
    ├── Cancelled                     15   409  somebody asked to stop
    ├── RunFailed                     16   500  a run ended with failed steps (others may have continued)
    ├── StateError                    17   500  the state database or secret store is unusable
    ├── NotFound                      18   404  no such run, host, cluster
    ├── MachineError                  19   500  the lab or a machine provider failed
    │   └── ProcessError              19   500  a program on this machine is missing or failed
    ├── AccessDenied                  21   403  a server knows who asks, and does not allow it
    │   ├── NotAuthenticated          21   401  ... or does not know who asks
    │   └── TooManyRequests           21   429  ... or was asked too often
    └── ServerUnreachable             22   502  the Raijin server does not answer

Exit codes 0 (done), 1 (a defect in Raijin) and 20 (`status`: not healthy) are not errors of this tree. Whether a
retry can help is part of the error (`transient`), never guessed from its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class RaijinError(Exception):
    """Base of all intended errors.

    message: one sentence: what broke.
    host: the host it broke on, if any.
    remedy: the way out, an imperative sentence.
    detail: everything a machine or an expert may want (full stderr); never shown by default in one-line output.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    transient: ClassVar[bool] = False

    def __init__(
        self, message: str, *, host: str | None = None, remedy: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.host = host
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.host}: {self.message}" if self.host else self.message

    def problem(self) -> dict[str, object]:
        """The error as a problem document (RFC 9457 members plus host and remedy)."""
        document: dict[str, object] = {
            "type": f"urn:raijin:error:{self.code}",
            "title": self.code.replace("-", " "),
            "status": self.http_status,
            "detail": self.message,
            "exit_code": self.exit_code,
            "transient": self.transient,
        }
        optional = {"host": self.host, "remedy": self.remedy, "output": self.detail}
        return document | {name: value for name, value in optional.items() if value}


class UsageError(RaijinError):
    code, exit_code, http_status = "usage", 2, 400


class EditRefused(UsageError):
    code = "edit-refused"


class RequestInvalid(UsageError):
    code, http_status = "request-invalid", 422

    def __init__(
        self,
        message: str,
        *,
        faults: Sequence[Problem] = (),
        host: str | None = None,
        remedy: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message, host=host, remedy=remedy, detail=detail)
        self.faults = tuple(faults)

    def problem(self) -> dict[str, object]:
        return super().problem() | ({"errors": [fault.to_json() for fault in self.faults]} if self.faults else {})


class RequestTooLarge(UsageError):
    code, http_status = "request-too-large", 413


class MediaTypeUnsupported(UsageError):
    code, http_status = "media-type-unsupported", 415


class MethodNotAllowed(UsageError):
    code, http_status = "method-not-allowed", 405


class KeyReused(UsageError):
    code, http_status = "key-reused", 409


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a definition: where it is, what is wrong, and the way out. Lines and columns count from 1."""

    path: str
    message: str
    remedy: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    value: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}:{self.column}"
        text = f"{place}: {self.path}: {self.message}" if place else f"{self.path}: {self.message}"
        if self.value:
            text += f" (got {self.value})"
        return f"{text}; {self.remedy}" if self.remedy else text

    def to_json(self) -> dict[str, object]:
        """What is known of it."""
        return {slot: getattr(self, slot) for slot in self.__slots__ if getattr(self, slot)}


class DefinitionError(RaijinError):
    code, exit_code, http_status = "definition", 3, 422

    def __init__(self, problems: list[Problem]) -> None:
        count = len(problems)
        super().__init__(f"the definition has {count} problem{'s' if count != 1 else ''}")
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {problem}" for problem in self.problems)])

    def problem(self) -> dict[str, object]:
        return super().problem() | {"errors": [item.to_json() for item in self.problems]}


class PlanRefused(RaijinError):
    code, exit_code, http_status = "plan-refused", 4, 409


class Unsupported(PlanRefused):
    code, http_status = "unsupported", 422


class StalePlan(RaijinError):
    code, exit_code, http_status = "stale-plan", 5, 409


class PreconditionFailed(StalePlan):
    code, http_status = "precondition-failed", 412


class Locked(RaijinError):
    code, exit_code, http_status, transient = "locked", 6, 423, True


class HostError(RaijinError):
    code, exit_code, http_status = "host", 7, 502


class HostUnreachable(HostError):
    code, transient = "host-unreachable", True


class AuthenticationFailed(HostError):
    code, exit_code = "authentication-failed", 8


class HostKeyMismatch(HostError):
    code, exit_code = "host-key-mismatch", 9


class OperationFailed(HostError):
    code, exit_code = "operation-failed", 10


class ApiLost(OperationFailed):
    code, transient = "api-lost", True


class ArtifactError(RaijinError):
    code, exit_code, http_status = "artifact", 11, 502


class ChecksumMismatch(ArtifactError):
    code, exit_code = "checksum-mismatch", 12


class KubernetesError(RaijinError):
    code, exit_code, http_status = "kubernetes", 13, 502


class KubernetesUnavailable(KubernetesError):
    code, transient = "kubernetes-unavailable", True


class DeadlineExceeded(RaijinError):
    code, exit_code, http_status = "deadline-exceeded", 14, 504


class Cancelled(RaijinError):
    code, exit_code, http_status = "cancelled", 15, 409


class RunFailed(RaijinError):
    code, exit_code, http_status = "run-failed", 16, 500


class StateError(RaijinError):
    code, exit_code, http_status = "state", 17, 500


class NotFound(RaijinError):
    code, exit_code, http_status = "not-found", 18, 404


class MachineError(RaijinError):
    code, exit_code, http_status = "machine", 19, 500


class ProcessError(MachineError):
    code = "process"


class AccessDenied(RaijinError):
    code, exit_code, http_status = "access-denied", 21, 403


class NotAuthenticated(AccessDenied):
    code, http_status = "not-authenticated", 401


class TooManyRequests(AccessDenied):
    code, http_status, transient = "too-many-requests", 429, True


class ServerUnreachable(RaijinError):
    code, exit_code, http_status, transient = "server-unreachable", 22, 502, True
