"""Benchmarks: the values of all clients that the caller sees over a period, in one reading for any number of series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from db import answers
from db.asked import Asked
from db.fact_rows import UNKNOWN, Key, SumsRead
from db.session import Transaction
from domain.benchmarks import Benchmark, benchmark
from domain.kpi_values import KpiValue
from domain.kpis import Dimension, KpiKind, NotOffered
from domain.periods import Bucket
from domain.questions import Question
from domain.series import Series, many
from domain.timelines import Timeline
from domain.totals import Totals, added


@dataclass(frozen=True, slots=True)
class Among:
    """The clients of one question: for each pair of its other members, every client's sums over the period."""

    question: Question
    """As it was asked of all clients."""

    timeline: Timeline
    sums: Mapping[Key, Mapping[str, Mapping[int, Totals]]]
    _worked_out: dict[Key, tuple[KpiValue, dict[str, KpiValue]]] = field(default_factory=dict)

    def of(self, by: Sequence[Dimension], members: Sequence[str]) -> Benchmark:
        """Return how the series of these members stands among the clients; of no client, how the clients are."""
        named = dict(zip(by, members, strict=True))
        own = named.pop(Dimension.CLIENT, None)
        pooled, values = self._together(tuple(named.values()))
        enough = self.question.kpi.definition.min_sample
        return benchmark(pooled, values, enough, None if own == UNKNOWN else own)

    def _together(self, others: Key) -> tuple[KpiValue, dict[str, KpiValue]]:
        """Return the value over all clients and those of each, worked out once for all who stand among them."""
        if others not in self._worked_out:
            kpi, clients = self.question.kpi, self.sums.get(others, {})
            places: dict[int, list[Totals]] = {}
            for sums in clients.values():
                for place, one in sums.items():
                    places.setdefault(place, []).append(one)
            pooled = Series(kpi, self.timeline, {place: added(several) for place, several in places.items()})
            each = many(kpi, self.timeline, list(clients.values()))
            values = {client: one.total for client, one in zip(clients, each, strict=True)}
            self._worked_out[others] = (pooled.total, values)
        return self._worked_out[others]


async def among_all(tx: Transaction, questions: Sequence[Question], now: datetime) -> list[Among | None]:
    """Return the clients to hold the series of each question against; `None` where that can't be asked.

    A mean over leads can't: one who leads for two clients would be two.
    """
    wide = [_of_all_clients(question) for question in questions]
    offered = [question for question in wide if question is not None]
    reading = await answers.Reading.of(tx, offered, now)
    read: dict[Question, Among] = {}
    for question in offered:
        if question not in read:
            moment = reading.moment(question)
            cut = (Bucket(question.period.start, question.period.end, whole=True),)
            past = moment.now if moment.now < now else None
            asked = Asked(cut, question.by, question.where, moment, past)
            sums = await reading.reader.totals(question.kpi, asked)
            read[question] = Among(question, Timeline.of(cut, moment), _by_client(question.by, sums))
    return [None if question is None else read[question] for question in wide]


def _of_all_clients(question: Question) -> Question | None:
    definition = question.kpi.definition
    if definition.per_lead and definition.kind is KpiKind.LEVEL:
        return None
    others = tuple(one for one in question.by if one is not Dimension.CLIENT)
    where = replace(question.where, clients=None)
    wide = replace(question, by=(*others, Dimension.CLIENT), where=where, compare=None, top=None)
    try:
        wide.check()
    except NotOffered:
        return None
    return wide


def _by_client(by: Sequence[Dimension], sums: SumsRead) -> dict[Key, dict[str, Mapping[int, Totals]]]:
    """Return the sums by the other members first; what is of no known client is nobody's to be held against."""
    place = by.index(Dimension.CLIENT)
    found: dict[Key, dict[str, Mapping[int, Totals]]] = {}
    for key, totals in sums.items():
        if key[place] != UNKNOWN:
            found.setdefault((*key[:place], *key[place + 1 :]), {})[key[place]] = totals
    return found
