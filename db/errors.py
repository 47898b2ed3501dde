"""What can go wrong below: PostgreSQL's and the network's errors, named by what to do about them."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg


class DatabaseUnavailableError(Exception):
    """No connection, or the connection was lost; whether a commit arrived may be unknown."""


class InsecureRoleError(Exception):
    """The login is not bound by row-level security."""


class StatementFailedError(Exception):
    """PostgreSQL refused a statement."""


class LockTimeoutError(StatementFailedError):
    """Somebody else holds the row; asking again later may succeed."""


class RetryableError(StatementFailedError):
    """A deadlock or a serialisation failure: the same transaction may succeed when run again."""


class StatementTimeoutError(StatementFailedError):
    """The statement ran longer than it may."""


class DuplicateError(StatementFailedError):
    """A unique constraint refused the row; `constraint` names it."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class MissingReferenceError(StatementFailedError):
    """A foreign key refused the row: what it refers to does not exist for this tenant."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class translated:  # noqa: N801 -- read as `with translated():`
    """Raise this module's errors in place of the driver's."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Stand around every statement, and so cost next to nothing where nothing fails."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            with _translating():
                raise error


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise DuplicateError(str(error), error.constraint_name or "") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise MissingReferenceError(str(error), error.constraint_name or "") from error
    except asyncpg.LockNotAvailableError as error:
        raise LockTimeoutError(str(error)) from error
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise RetryableError(str(error)) from error
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError,
        asyncpg.TooManyConnectionsError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.IdleInTransactionSessionTimeoutError,
    ) as error:
        raise DatabaseUnavailableError(str(error)) from error
    except asyncpg.QueryCanceledError as error:
        raise StatementTimeoutError(str(error)) from error
    except asyncpg.PostgresError as error:
        raise StatementFailedError(str(error)) from error
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        # A dead socket surfaces as any of these; none says whether a commit arrived.
        raise DatabaseUnavailableError(f"{type(error).__name__}: {error}") from error
