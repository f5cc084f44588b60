"""What a principal may ask for."""

from __future__ import annotations

from dataclasses import replace

from recollect.core.errors import Forbidden
from recollect.core.model import Filter, Permission, Principal, Role, Trust

TRUSTED = {
    Role.USER: Trust.USER,
    Role.STAFF: Trust.STAFF,
    Role.MANAGER: Trust.STAFF,
    Role.OWNER: Trust.OWNER,
}
"""How much is trusted what a principal of each role writes."""


def require(principal: Principal, permission: Permission) -> None:
    """Raise Forbidden unless the principal's credential allows this."""
    if permission not in principal.permissions:
        raise Forbidden(
            f"This credential lacks the permission {permission}.",
            hint=f"It has: {', '.join(sorted(principal.permissions)) or 'none'}.",
        )


def own_user(principal: Principal, user_id: str | None) -> str | None:
    """The user that a request is about: a person asks about themself, whatever the request says.

    Raises:
        Forbidden: a person asked about somebody else.
    """
    if principal.role is not Role.USER:
        return user_id
    if user_id not in (None, principal.subject):
        raise Forbidden("This credential is one person's, and they may only ask about themself.")
    return principal.subject


def own_scope(principal: Principal, scope: Filter) -> Filter:
    """The scope, narrowed to what may be asked for."""
    user_id = own_user(principal, scope.user_id)
    return replace(scope, user_id=user_id, all_users=scope.all_users and principal.role is not Role.USER)


def require_staff(principal: Principal) -> None:
    """Raise Forbidden for a principal who is one person: this concerns others too."""
    if principal.role is Role.USER:
        raise Forbidden("This concerns more people than the one whom this credential is for.")


def require_owner(principal: Principal) -> None:
    """Raise Forbidden unless the principal speaks for the business itself."""
    if principal.role is not Role.OWNER:
        raise Forbidden("This is the owner's affair.")
