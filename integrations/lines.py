"""Lines of a text file, plain or gzip, read as a stream however large the file is."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

from domain.imports import LineError, line_error

LONGEST_LINE_CHARACTERS = 1 << 20
"""One record of a ticket log is some hundred characters; a mebibyte is no line but a broken file."""

GZIP_MAGIC = b"\x1f\x8b"


class UnreadableFile(Exception):
    """The file can't be read at all, or breaks off; the message says how and what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table: the number of its first line, and its cells by column name."""

    line: int
    cells: Mapping[str, str]


class Lines(Iterator[str]):
    """The lines of one file, and how far into it they have come."""

    def __init__(self, lines: Iterator[str], raw: IO[bytes], total_bytes: int) -> None:
        self._lines = lines
        self._raw = raw
        self.total_bytes = total_bytes
        """The size of the file as it lies on the disk, packed or not."""

    def __next__(self) -> str:
        return next(self._lines)

    @property
    def done_bytes(self) -> int:
        """How much of the file has been read; it runs ahead by a buffer."""
        return self._raw.tell()


@contextmanager
def opened(path: Path) -> Iterator[Lines]:
    """Give the lines of a file, unpacked when it is gzip, whatever its name.

    Bytes that aren't UTF-8 arrive as lone surrogates, so that the line can be named and the rest still read.
    Raises UnreadableFile when there is no such file, when it is damaged or when a line has no end.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{path} can't be opened: {error.strerror}. Check the path and the rights.") from error
    with raw:
        packed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        with TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            yield Lines(_lines(text, path), raw, path.stat().st_size)


def _lines(text: TextIOWrapper, path: Path) -> Iterator[str]:
    number = 0
    try:
        while line := text.readline(LONGEST_LINE_CHARACTERS):
            number += 1
            if len(line) == LONGEST_LINE_CHARACTERS:
                raise UnreadableFile(
                    f"Line {number} of {path.name} is longer than {LONGEST_LINE_CHARACTERS} characters. "
                    "The file is damaged or is no text file."
                )
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(
            f"{path.name} breaks off or is damaged after line {number} ({error}). Fetch the file again."
        ) from error


def records(
    lines: Iterator[str],
    *,
    delimiter: str = ",",
    required: tuple[str, ...],
    check: Callable[[list[str]], None] = lambda _: None,
) -> Iterator[Record | LineError]:
    """Give the rows of a CSV file by its header, and each malformed row as an error.

    `check` is shown the header before any row is read. Raises UnreadableFile when the header lacks a required column.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _header(reader, required)
    check(header)
    before = reader.line_num
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line_error(before + 1, None, None, f"The line is no valid CSV: {error}.")
            before = reader.line_num
            continue
        line, before = before + 1, reader.line_num
        if not cells:
            continue
        yield _record(line, header, cells)


def _header(reader: Iterator[list[str]], required: tuple[str, ...]) -> list[str]:
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise UnreadableFile(f"The first line is no valid CSV header: {error}.") from error
    if header is None:
        raise UnreadableFile("The file is empty; its first line must name the columns.")
    header = [name.strip() for name in header]
    if missing := [name for name in required if name not in header]:
        raise UnreadableFile(
            f"The header lacks {', '.join(missing)}. It names {', '.join(header)}: "
            "check the file, its delimiter and the mapping."
        )
    return header


def _record(line: int, header: list[str], cells: list[str]) -> Record | LineError:
    if len(cells) != len(header):
        return line_error(line, None, None, f"The line has {len(cells)} cells, the header {len(header)} columns.")
    for column, cell in zip(header, cells, strict=True):
        if not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell):
            return line_error(line, column, cell, "The value isn't UTF-8. Save the file as UTF-8.")
        if "\x00" in cell:
            return line_error(line, column, cell, "The value holds a NUL character.")
    return Record(line, dict(zip(header, cells, strict=True)))
