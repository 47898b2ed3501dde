"""Lines of a text file, plain or gzip, read as a stream however large the file is."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast

from domain.imports import LineError, line_error

LONGEST_LINE_CHARACTERS = 1 << 20
"""One record of a ticket log is some hundred characters; a mebibyte is no line but a broken file."""

MOST_LINES = 100_000_000
MOST_CHARACTERS = 1 << 34
"""What a file may come to: some bytes of gzip can unpack to more than anybody has, and a worker reads all of it."""

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
        """The size of the file as it was handed over, packed or not."""

    def __next__(self) -> str:
        return next(self._lines)

    @property
    def done_bytes(self) -> int:
        """How much of the file has been read; it runs ahead by a buffer."""
        return min(self._raw.tell(), self.total_bytes)


class Pieces(RawIOBase):
    """A file that is handed over piece by piece, by a call that returns nothing behind the last of them."""

    def __init__(self, next_piece: Callable[[], bytes]) -> None:
        self._next_piece = next_piece
        self._rest = memoryview(b"")
        self._read = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._read

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(self._next_piece())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._read += count
        return count


@contextmanager
def opened(path: Path) -> Iterator[Lines]:
    """Give the lines of a file, as `unpacked` does.

    Raises UnreadableFile when there is no such file, when it is damaged or when a line has no end.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{path} can't be opened: {error.strerror}. Check the path and the rights.") from error
    with raw, unpacked(raw, path.name, path.stat().st_size) as lines:
        yield lines


@contextmanager
def unpacked(raw: BufferedReader, name: str, total_bytes: int) -> Iterator[Lines]:
    """Give the lines of a stream, unpacked when it is gzip, whatever its name; the first is read when it is asked for.

    Bytes that aren't UTF-8 arrive as lone surrogates, so that the line can be named and the rest still read.
    """
    lines = _lines(raw, name)
    try:
        yield Lines(lines, raw, total_bytes)
    finally:
        lines.close()


def _lines(raw: BufferedReader, name: str) -> Generator[str, None, None]:
    packed = raw.peek(len(GZIP_MAGIC))[: len(GZIP_MAGIC)] == GZIP_MAGIC
    stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    number = characters = 0
    try:
        while line := text.readline(LONGEST_LINE_CHARACTERS):
            number += 1
            characters += len(line)
            if len(line) == LONGEST_LINE_CHARACTERS:
                raise UnreadableFile(
                    f"Line {number} of {name} is longer than {LONGEST_LINE_CHARACTERS} characters. "
                    "The file is damaged or is no text file."
                )
            if number > MOST_LINES or characters > MOST_CHARACTERS:
                raise UnreadableFile(
                    f"{name} has more than {MOST_LINES} lines or {MOST_CHARACTERS} characters when it is unpacked. "
                    "Split it, and import the parts one after the other."
                )
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(
            f"{name} breaks off or is damaged after line {number} ({error}). Fetch the file again."
        ) from error
    finally:
        # Whoever opened the stream closes it, and still asks how far it was read.
        text.detach()


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
