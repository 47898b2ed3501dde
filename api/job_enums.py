"""Enums of jobs and imports, with a description for every value."""

from enum import StrEnum
from typing import TYPE_CHECKING

from api.enums import described
from domain.imports import ImportKind
from domain.jobs import JobCount, JobKind, JobStatus, JobUnit
from workflows.client_imports import ClientFormat
from workflows.imports import ClientPolicy
from workflows.ticket_files import Source

described(
    JobKind,
    "What a job does.",
    TICKET_IMPORT="Brings in the tickets of a file. Starting one takes `TICKETS_WRITE`, seeing others' `TICKETS_READ`.",
    CLIENT_IMPORT="Brings in the existing clients of a file. Starting one takes `ONBOARDING_END` and `CLIENTS_WRITE`, "
    "seeing others' `CLIENTS_READ`.",
    TICKET_REDERIVATION="Goes through stored tickets by the newest rule and hours, or tries a rule on them. Starting "
    "one takes `POLICIES_WRITE`, seeing others' `TICKETS_READ`.",
)

described(
    JobStatus,
    "How a job stands.",
    UPLOADING="Its file is still to come: send it by PUT to `uploadUrl`.",
    QUEUED="A worker will take it up in a moment, for the first time or after an interruption.",
    RUNNING="A worker is at it.",
    DONE="It is done; what was wrong with single lines stands in `errors`.",
    FAILED="It could not be done or not to the end; `failure` says why. What whole batches did stays.",
    CANCELLED="Somebody stopped it. What whole batches did stays.",
)

described(
    JobUnit,
    "In what `done` and `total` are counted.",
    BYTES="Bytes of the file, as it was sent.",
    TICKETS="Tickets.",
)

described(
    JobCount,
    "What is counted of what a job has done.",
    CREATED="New objects.",
    CHANGED="Objects that were there and are said otherwise now.",
    UNCHANGED="Objects that were there and say the same.",
    JOINED="Clients that were there and were given an onboarding.",
    REFUSED="Rows that did not come in; `errors` says why.",
    CLIENTS_CREATED="Clients made for the keys of tickets, where the import was to make them.",
)

described(ImportKind, "What a file brings.", TICKETS="Tickets.", CLIENTS="Existing clients, with where they stand.")

described(
    ClientPolicy,
    "What becomes of a client's key that nobody has mapped.",
    MATCH="Its tickets are stored without a client, until somebody maps the key.",
    CREATE="A client of that name is made, and known by that key from then on. It takes `CLIENTS_WRITE`.",
)

_OF_CLIENTS = {
    ClientFormat.CSV.value: "Of clients: a header and one client a row.",
    ClientFormat.JSONL.value: "Of clients: one client an object.",
}

if TYPE_CHECKING:

    class ImportFormat(StrEnum):
        CSV = "CSV"

else:
    ImportFormat = StrEnum("ImportFormat", {name: name for name in (*Source.__members__, *ClientFormat.__members__)})

described(
    ImportFormat,
    "How a file is written, or by what. Clients come as `CSV` or `JSONL`, tickets as any. Every file may be gzip.",
    **{name: f"{Source[name].how.description} {_OF_CLIENTS.get(name, '')}".strip() for name in Source.__members__},
)
