"""What can go wrong, as one tree; a class's docstring is its message.

RecollectError
├── Invalid                    422  the request cannot be understood
│   ├── InvalidCursor
│   ├── InvalidFilter
│   ├── Unowned
│   └── IdempotencyMismatch
├── Unauthenticated            401  nobody we know
│   └── InvalidToken
├── Forbidden                  403  somebody we know, who may not
│   └── PackOff
├── NotFound                   404
├── Conflict                   409
│   ├── AlreadyExists
│   └── SessionBelongsToAnother
├── TooLarge                   413
├── Unavailable                503  something we stand on is away; the same request may work later
│   ├── StorageUnavailable
│   ├── Busy
│   ├── TimedOut
│   ├── ModelRetired
│   └── LanguageModelUnavailable    a language model gave nothing that can be used
│       ├── LanguageModelFailed     it did not answer, or with an error, or too late
│       ├── LanguageModelRefused    it would not
│       ├── LanguageModelMalformed  what it said is not what was asked for
│       ├── LanguageModelPaused     it failed so often that it is left alone for a while
│       └── BudgetSpent             the tenant lets it cost no more this month
└── Misconfigured              500  the process refuses to start, or a command to run
    ├── UnsafeRole
    ├── SchemaOutdated
    ├── ModelMismatch
    └── ModelUnavailable
"""

from __future__ import annotations

from typing import ClassVar

from recollect.core.model import Usage

_NOTHING = Usage()


class RecollectError(Exception):
    """Recollect could not do what was asked."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    hint: str | None = None

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)
        self.hint = hint or type(self).hint
        if self.hint:
            self.add_note(self.hint)  # so that a traceback shows it


class Invalid(RecollectError):
    """The request is not valid."""

    code = "invalid_request"
    status = 422
    hint = "Change it as the message says; as it is, repeating it cannot succeed."


class InvalidCursor(Invalid):
    """This cursor was not made by Recollect for this list."""

    code = "invalid_cursor"
    hint = "Pass next_cursor of the previous page as it came, or leave the cursor out to start again."


class InvalidFilter(Invalid):
    """The filter cannot be read."""

    code = "invalid_filter"
    hint = 'Write {"key": {"operator": value}}; operators: eq, ne, in, gt, gte, lt, lte, contains, exists.'


class Unowned(Invalid):
    """This is nobody's: it names no user, and does not say that it is shared."""

    hint = 'Name the user_id, or say "shared": true for what everybody of the tenant may read.'


class IdempotencyMismatch(Invalid):
    """This idempotency key was used for a different request."""

    code = "idempotency_mismatch"
    hint = "Use a new key for a new request; repeat a key only with the same body."


class Unauthenticated(RecollectError):
    """No valid credential came with the request."""

    code = "unauthenticated"
    status = 401
    hint = "Send 'Authorization: Bearer <API key or JWT>'. `recollect key create <tenant>` makes a key."


class InvalidToken(Unauthenticated):
    """This token is not valid here."""

    hint = "Ask its issuer for a new one. docs/http.md lists the signatures and the claims that are accepted."


class InvalidSignature(Unauthenticated):
    """This webhook is not signed as it must be, or not for a tenant that takes it."""

    hint = "GET /v1/packs/<pack>/webhooks shows the tenant's owner where to send, what to sign, and how."


class Forbidden(RecollectError):
    """This credential may not do that."""

    code = "forbidden"
    status = 403
    hint = "Use a credential with the role and the permissions that this needs."


class PackOff(Forbidden):
    """This pack is not turned on for the tenant."""

    code = "pack_off"
    hint = "The tenant's owner turns it on: PUT /v1/packs/<pack>, or `recollect pack on <pack>`."


class NotFound(RecollectError):
    """There is nothing by that id here."""

    code = "not_found"
    status = 404
    hint = "Check the id. What belongs to another tenant, or another person, reads as absent."


class WebhooksOff(NotFound):
    """This server takes no webhooks."""

    code = "webhooks_off"
    hint = "Its operator sets RECOLLECT_WEBHOOK_SECRET to 32 random characters or more."


class Conflict(RecollectError):
    """The request contradicts what is stored."""

    code = "conflict"
    status = 409
    hint = "Read what is stored now, and send the request again if it still makes sense."


class AlreadyExists(Conflict):
    """Something by that name exists already."""

    code = "already_exists"
    hint = "Use it, or choose another name."


class SessionBelongsToAnother(Conflict):
    """This session belongs to another user, or is shared."""

    code = "session_belongs_to_another"
    hint = "Use another id, or name the user it was begun with, and none if it was begun as shared."


class TooLarge(RecollectError):
    """The request is larger than this server accepts."""

    code = "too_large"
    status = 413
    hint = "Send it in parts."


class Unavailable(RecollectError):
    """Something this server stands on does not answer."""

    code = "unavailable"
    status = 503
    hint = "Try again; GET /v1/health/ready tells what is away."


class StorageUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "storage_unavailable"


class Busy(Unavailable):
    """The server has more work than it takes on at once."""

    code = "busy"


class TimedOut(Unavailable):
    """The request took longer than this server allows, and was given up."""

    code = "timed_out"
    hint = "Send less at once; repeat a write with the same Idempotency-Key, which is safe in any case."


class ModelRetired(Unavailable):
    """The embedding model was changed while this was being written."""

    code = "model_retired"


class LanguageModelUnavailable(Unavailable):
    """The language model gave nothing that can be used.

    `reason` says why in a word; `usage` is what the call is to be paid for nevertheless, None if not known.
    """

    hint = "Nothing is lost: the rules' result stands. GET /v1/language shows the state of it."
    reason: ClassVar[str] = "failed"

    def __init__(
        self, message: str | None = None, *, hint: str | None = None, usage: Usage | None = _NOTHING
    ) -> None:
        super().__init__(message or str(type(self).__doc__).partition("\n")[0], hint=hint)
        self.usage = usage


class LanguageModelFailed(LanguageModelUnavailable):
    """The language model did not answer, or with an error, or not in time."""


class LanguageModelRefused(LanguageModelUnavailable):
    """The language model refused to answer."""

    reason = "refused"


class LanguageModelMalformed(LanguageModelUnavailable):
    """The language model's answer is not of the form that was asked for."""

    reason = "malformed"


class LanguageModelPaused(LanguageModelUnavailable):
    """The language model failed too often, and is not asked for a while."""

    reason = "paused"


class BudgetSpent(LanguageModelUnavailable):
    """The tenant's budget for language models does not allow another call this month."""

    reason = "budget"
    hint = "PUT /v1/language/budget, or `recollect language budget`, changes it; a new month begins at 0."


class Misconfigured(RecollectError):
    """Recollect is not set up to run like this."""

    code = "misconfigured"


class UnsafeRole(Misconfigured):
    """The database role of the application could read past row level security."""

    code = "unsafe_role"


class SchemaOutdated(Misconfigured):
    """The database's schema is not the one this version needs."""

    code = "schema_outdated"
    hint = "Run `recollect migrate --database-url <owner's URL>`."


class ModelMismatch(Misconfigured):
    """The database's vectors were made by another embedding model."""

    code = "model_mismatch"


class ModelUnavailable(Misconfigured):
    """The embedding model could not be had."""

    code = "model_unavailable"
