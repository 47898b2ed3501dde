"""What the demo shows once it is ready: addresses, a token for each kind of user, and three queries to paste."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.credentials import Credential
from demo.questions import Question


@dataclass(frozen=True, slots=True)
class Showing:
    """Everything that somebody needs who wants to try it."""

    address: str
    credentials: Sequence[Credential]
    questions: Sequence[Question]

    def text(self) -> str:
        """Return it for people."""
        providers = dict.fromkeys(credential.provider for credential in self.credentials)
        lines = [
            f"{' and '.join(providers)}: all that you see is made up.",
            "",
            f"  GraphiQL  {self.address}/graphiql",
            f"  GraphQL   {self.address}/graphql",
            "",
            "A token for each kind of user, new at every start (GraphiQL has a field for it):",
            "",
        ]
        width = max(len(credential.user) for credential in self.credentials)
        for credential in self.credentials:
            lines += [
                f"  {credential.user:{width}}  {credential.who}, {credential.shows}",
                f"  {'':{width}}  {credential.token}",
            ]
        lines += ["", "Three queries to paste:"]
        for question in self.questions:
            lines += ["", f"# {question.title}", question.query]
        return "\n".join((*lines, ""))

    def write(self, file: Path) -> None:
        """Write it for scripts, whole or not at all, for nobody's eyes but the account's own."""
        said = {
            "address": self.address,
            "graphql": f"{self.address}/graphql",
            "graphiql": f"{self.address}/graphiql",
            "tokens": {credential.key: asdict(credential) for credential in self.credentials},
            "queries": [asdict(question) for question in self.questions],
        }
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as writing:
            json.dump(said, writing, indent=2, ensure_ascii=False)
            writing.write("\n")
        unfinished.replace(file)
