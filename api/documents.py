"""Trusted documents: operations kept with the server and asked for by the SHA-256 of their text."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from api.bodies import GraphQLRequest
from api.errors import BadRequest, PersistedQueryNotFound


class TrustedDocuments:
    """The documents that clients may name instead of sending, and whether they may send others."""

    def __init__(self, texts: Mapping[str, str] | None = None, *, no_others: bool = False) -> None:
        self._texts = texts or {}
        self._no_others = no_others

    @classmethod
    def of_file(cls, path: Path | None, *, no_others: bool) -> "TrustedDocuments":
        """Read a JSON object of documents by the SHA-256 of their text, as Relay and Apollo's tools write it.

        Raises:
            ValueError: the file cannot be read, or a key is not the hash of its document.
        """
        if path is None:
            return cls(no_others=no_others)
        try:
            texts = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError) as error:
            raise ValueError(
                f"trusted documents: {path} cannot be read as an object of texts by hash: {error}"
            ) from error
        for key, text in texts.items():
            if _bare(key) != hashlib.sha256(text.encode()).hexdigest():
                raise ValueError(
                    f"trusted documents: in {path} the key {key[:80]!r} is not the SHA-256 of its document"
                )
        return cls({_bare(key): text for key, text in texts.items()}, no_others=no_others)

    def text_of(self, request: GraphQLRequest) -> str:
        """Return the document to run.

        Raises:
            PersistedQueryNotFound: no document is kept for the hash that was sent.
            BadRequest: a document was sent, and only those kept here are served.
        """
        if request.document_id is not None:
            text = self._texts.get(_bare(request.document_id))
            if text is None:
                raise PersistedQueryNotFound
            return text
        if self._no_others and hashlib.sha256(request.query.encode()).hexdigest() not in self._texts:
            raise BadRequest("This server runs only the documents kept with it; send the SHA-256 of one of them.")
        return request.query


def _bare(key: str) -> str:
    return key.lower().removeprefix("sha256:")
