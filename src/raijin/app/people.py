"""Users and tokens of the server of a RAIJIN_HOME, for whoever has that home: a first start needs no browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from raijin.app.access import Access, everything
from raijin.app.auditing import me
from raijin.app.roles import Caller, Role
from raijin.errors import NotFound, UsageError
from raijin.state import has_state
from raijin.state.access import Token, User
from raijin.state.database import open_database


@contextmanager
def people_of(home: Path) -> Iterator[People]:
    """Raises StateError."""
    database = open_database(home)
    try:
        yield People(Access(database, home, origin="cli"), everything(me(), ""))
    finally:
        database.dispose()


def users_of(home: Path) -> list[User]:
    """All of them; asking makes no state. Raises StateError."""
    if not has_state(home):
        return []
    with people_of(home) as people:
        return people.users()


def tokens_of(home: Path, owner: str | None) -> list[Token]:
    """Those of one user, or of all; asking makes no state. Raises NotFound, StateError."""
    if not has_state(home):
        return []
    with people_of(home) as people:
        return people.tokens(owner)


class People:
    """What is done here stands in the audit trail as done by whoever typed it."""

    def __init__(self, access: Access, caller: Caller) -> None:
        self._access, self._caller = access, caller

    def users(self) -> list[User]:
        return self._access.users.all()

    def user(self, name: str) -> User:
        """Raises NotFound."""
        found = self._access.users.get(name)
        if found is None:
            raise NotFound(f"there is no user {name[:64]}", remedy="see `raijin user list`")
        return found

    def roles_of_new(self, name: str, roles: Sequence[str]) -> list[str]:
        """What a new user may; the first one must be an administrator, and is one when nothing is said.

        Raises UsageError, before anybody types a password for nothing.
        """
        self._access.check_name(name)
        if self._access.users.get(name) is not None:
            raise UsageError(
                f"there is a user {name} already", remedy="change it with `raijin user roles` or `password`"
            )
        first = not self._access.users.any()
        if first and roles and str(Role.ADMIN) not in roles:
            raise UsageError("the first user has to be an administrator", remedy="add one with --role admin first")
        if not roles and not first:
            raise UsageError(f"{name} would have no role", remedy="give one, as in --role operator:production")
        return list(roles) or [str(Role.ADMIN)]

    def add(self, name: str, password: str, roles: Sequence[str]) -> User:
        """Raises UsageError."""
        self._access.add_user(self._caller, name, password, roles)
        return self.user(name)

    def remove(self, name: str) -> None:
        """With tokens and sessions. Raises NotFound, UsageError for the only administrator."""
        self._access.remove_user(self._caller, self.user(name).name)

    def change_password(self, name: str, password: str) -> User:
        """Sessions of the user end. Raises NotFound, UsageError."""
        return self._access.change_user(self._caller, self.user(name).name, password=password)

    def change_roles(self, name: str, roles: Sequence[str]) -> User:
        """Raises NotFound, UsageError."""
        return self._access.change_user(self._caller, self.user(name).name, grants=roles)

    def tokens(self, owner: str | None) -> list[Token]:
        """Those of one user, or of all."""
        return [token for token in self._access.tokens.of(self.user(owner).name if owner else None) if token.owner]

    def new_token(self, owner: str | None, name: str, roles: Sequence[str], days: float) -> tuple[str, Token]:
        """A token, and what is kept of it. owner: may be left out where there is one user. roles: default: all of
        theirs. Raises NotFound, UsageError, AccessDenied.
        """
        user = self.user(owner) if owner else self._only()
        return self._access.new_token(self._caller, name, roles or user.grants, days, owner=user.name)

    def revoke(self, token: str) -> None:
        """Raises NotFound."""
        self._access.revoke(self._caller, token)

    def _only(self) -> User:
        users = self.users()
        if not users:
            raise NotFound("there are no users yet", remedy="add one with `raijin user add NAME`")
        if len(users) > 1:
            names = ", ".join(user.name for user in users[:8])
            raise UsageError(f"there are {len(users)} users", remedy=f"say whose token it is with --user: {names}")
        return users[0]
