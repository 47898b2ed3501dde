"""The command line in tests: commands run as a person would, and what they come to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.cli import main


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class CommandLine:
    """Runs commands as a person would, on one database; all but long-lived ones in this process, to save its time."""

    environment: dict[str, str]
    directory: Path
    monkeypatch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]
    served: list["subprocess.Popen[str]"] = field(default_factory=list)

    def run(self, *arguments: str, **environment: str) -> Ended:
        self.captured.readouterr()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["steadystate", *arguments])
            for name, value in (self.environment | environment).items():
                patch.setenv(name, value)
            patch.chdir(self.directory)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = self.captured.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    def done(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", *arguments],
            env=os.environ | self.environment,
            cwd=self.directory,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.served.append(process)
        return process


@pytest.fixture
def steadystate(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    root = str(Path(__file__).parents[2])
    environment = {"DATABASE_URL": database_url, "PYTHONPATH": root, "TERM": "dumb", "COLUMNS": "200"}
    line = CommandLine(environment, tmp_path, monkeypatch, capsys)
    yield line
    for process in line.served:
        process.kill()
        process.communicate()
