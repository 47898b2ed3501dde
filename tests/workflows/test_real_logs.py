"""Figures of real logs, held against what another program (pandas, numpy) counts straight from the files."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.kpi_values import KpiValue
from domain.kpis import Dimension, Kpi, Where
from domain.periods import Grain, Period
from domain.questions import Question
from domain.series import Series
from domain.tickets import EscalationKind
from tests.support.providers import Provider
from tests.support.tickets import ask
from workflows.imports import ImportOptions, import_tickets
from workflows.ticket_files import Source

ZONE = "Europe/Amsterdam"
YEARS = Period(date(2008, 1, 1), date(2019, 1, 1))
VENDORS = Where(escalation_kind=EscalationKind.VENDOR)


async def imported(provider: Provider, path: Path, source: Source) -> int:
    report = await import_tickets(provider.context, provider.admin, path, ImportOptions(source))
    assert report.progress.bad_lines == 0
    return report.progress.created


async def series(provider: Provider, kpi: Kpi, grain: Grain = Grain.YEAR, **more: Any) -> dict[str, Series]:
    answer = await ask(provider, Question(kpi, YEARS, grain, **more))
    return {one.members[0] if one.members else "": one.series for one in answer.series}


async def total(provider: Provider, kpi: Kpi, **more: Any) -> KpiValue:
    return (await series(provider, kpi, **more))[""].total


def by_month(counted: Series) -> dict[str, tuple[float | None, float | None]]:
    return {
        f"{point.bucket.start:%Y-%m}": (point.value.numerator, point.value.denominator)
        for point in counted.points
        if point.value.numerator or point.value.denominator
    }


def months(frame: pd.DataFrame, at: str, hit: str) -> dict[str, tuple[float | None, float | None]]:
    grouped = frame.groupby(frame[at].dt.strftime("%Y-%m"))[hit].agg(["sum", "count"])
    return {str(month): (float(row["sum"]), float(row["count"])) for month, row in grouped.iterrows()}


def worked_minutes(start: pd.Series, end: pd.Series) -> pd.Series:
    """Minutes between two local times that lie on weekdays between nine and five, as numpy counts business days."""
    return ((_worked_until(end) - _worked_until(start)) / 60).round()


def _worked_until(at: pd.Series) -> pd.Series:
    days = at.dt.normalize().to_numpy().astype("datetime64[D]")
    before = np.busday_count(np.datetime64("2000-01-03"), days) * 8 * 3600
    of_day = (at - at.dt.normalize()).dt.total_seconds().clip(9 * 3600, 17 * 3600) - 9 * 3600
    return pd.Series(before + of_day * np.is_busday(days), index=at.index)


async def test_the_incidents_of_servicenow_are_what_pandas_counts(provider: Provider, real_data: Path) -> None:
    path = real_data / "incidents_servicenow" / "incident_event_log.csv.gz"
    log = pd.read_csv(path, dtype=str)
    last = log.groupby("number", sort=False).last()
    last["opened"] = pd.to_datetime(last["opened_at"], format="%d/%m/%Y %H:%M")
    last["handed_on"] = last["reassignment_count"].astype(int) > 0
    assert await imported(provider, path, Source.SERVICENOW) == len(last) == 17_136
    rates = await series(provider, Kpi.ESCALATION_RATE, Grain.MONTH)
    assert by_month(rates[""]) == months(last, "opened", "handed_on")
    by_priority = await series(provider, Kpi.ESCALATION_RATE, by=(Dimension.PRIORITY,))
    for said, rows in last.groupby("priority"):
        found = by_priority[f"P{str(said)[0]}"].total
        assert (found.numerator, found.denominator) == (rows["handed_on"].sum(), len(rows))
    escalations = await total(provider, Kpi.ESCALATIONS)
    assert escalations.value == last["reassignment_count"].astype(int).sum()
    ended = last[(last["resolved_at"] != "?") | (last["closed_at"] != "?")]
    reopened = await total(provider, Kpi.REOPEN_RATE)
    assert reopened.denominator == len(ended)
    counted_again = log["reopen_count"].astype(int).groupby(log["number"]).max() > 0
    known = log[~log["incident_state"].isin(["?", "-100"])]
    seen_again = known.groupby("number")["incident_state"].apply(lambda of: _goes_on_after(of, ("Resolved", "Closed")))
    assert reopened.numerator == (counted_again | seen_again).reindex(ended.index).sum()
    targets = await total(provider, Kpi.SLA_MET)
    missed = last["made_sla"].str.lower() == "false"
    assert targets.denominator is not None
    assert targets.numerator is not None
    assert targets.denominator - targets.numerator == missed.sum()


async def test_the_incidents_of_volvo_are_what_pandas_counts(provider: Provider, real_data: Path) -> None:
    path = real_data / "incidents_volvo" / "incidents.csv.gz"
    log = pd.read_csv(path, dtype=str)
    log["seq"] = log["seq"].astype(int)
    log = log.sort_values(["case_id", "seq"])
    log["at"] = pd.to_datetime(log["timestamp"], utc=True).dt.tz_convert(ZONE).dt.tz_localize(None)
    words = log["support_team"].str.split()
    log["line"] = [2 if "2nd" in of else 3 if "3rd" in of else 1 for of in words]
    log["raised"] = log.groupby("case_id")["line"].diff() > 0
    cases = log.groupby("case_id").agg(opened=("at", "first"), raised=("raised", "sum"), impact=("impact", "last"))
    cases["escalated"] = cases["raised"] > 0
    assert await imported(provider, path, Source.VOLVO) == len(cases) == 4_646
    assert by_month((await series(provider, Kpi.ESCALATION_RATE, Grain.MONTH))[""]) == months(
        cases, "opened", "escalated"
    )
    assert (await total(provider, Kpi.ESCALATIONS)).value == cases["raised"].sum()
    completed = (log["status"] == "Completed").groupby(log["case_id"]).max()
    assert (await total(provider, Kpi.REOPEN_RATE)).denominator == completed.sum()
    back = log.groupby("case_id")["status"].apply(lambda of: _goes_on_after(of, ("Completed",)))
    assert (await total(provider, Kpi.REOPEN_RATE)).numerator == back.sum()


def _goes_on_after(statuses: pd.Series, ends: tuple[str, ...]) -> bool:
    done = statuses.isin(ends).to_numpy()
    return bool(done.any() and not done[done.argmax() :].all())


async def test_the_incidents_of_rabobank_are_what_pandas_counts(
    provider: Provider, real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "incidents_rabobank"
    incidents = pd.read_csv(folder / "incidents.csv.gz", dtype=str).set_index("incident_id")
    done = pd.read_csv(folder / "activities.csv.gz", dtype=str)
    joined = tmp_path / "rabobank.csv.gz"
    with joined.open("wb") as whole:
        for name in ("activities.csv.gz", "incidents.csv.gz"):
            with (folder / name).open("rb") as part:
                shutil.copyfileobj(part, whole)
    assert await imported(provider, joined, Source.RABOBANK) == len(incidents) == 2_464
    incidents["opened"] = pd.to_datetime(incidents["open_time"])
    kinds = done.groupby("incident_id")["incident_activity_type"]
    went_out = kinds.apply(lambda of: (of == "External Vendor Assignment").sum()).reindex(incidents.index).fillna(0)
    incidents["vendor"] = went_out > 0
    rates = await series(provider, Kpi.ESCALATION_RATE, Grain.MONTH, where=VENDORS)
    assert by_month(rates[""]) == months(incidents, "opened", "vendor")
    assert (await total(provider, Kpi.ESCALATIONS, where=VENDORS)).value == went_out.sum()
    by_priority = await series(provider, Kpi.TICKETS_LOGGED, by=(Dimension.PRIORITY,))
    expected = incidents["priority"].replace({"5": "4"}).map(lambda said: f"P{said}").value_counts()
    assert {member: one.total.value for member, one in by_priority.items()} == expected.to_dict()
    reopened = kinds.apply(lambda of: (of == "Reopen").any()).reindex(incidents.index).fillna(value=False)
    said = incidents["reopen_time"].notna()
    rate = await total(provider, Kpi.REOPEN_RATE)
    assert (rate.numerator, rate.denominator) == ((reopened | said).sum(), len(incidents))


async def test_the_italian_help_desk_is_what_pandas_counts(provider: Provider, real_data: Path) -> None:
    path = real_data / "helpdesk_italy" / "helpdesk.csv.gz"
    log = pd.read_csv(path, dtype=str)
    log["at"] = pd.to_datetime(log["timestamp"], utc=True).dt.tz_convert(ZONE).dt.tz_localize(None)
    cases = log.groupby("case_id", sort=False).agg(opened=("at", "first"), last=("activity", "last"))
    upgraded = (log["activity"] == "Require upgrade").groupby(log["case_id"]).max()
    cases["upgraded"] = upgraded.reindex(cases.index)
    taken = log[log["activity"] == "Take in charge ticket"].groupby("case_id")["at"].first()
    assert await imported(provider, path, Source.HELPDESK_ITALY) == len(cases) == 2_988
    counted = cases[cases["last"] != "DUPLICATE"]
    rates = await series(provider, Kpi.ESCALATION_RATE, Grain.MONTH)
    assert by_month(rates[""]) == months(counted, "opened", "upgraded")
    answered = counted.join(taken.rename("taken"), how="inner")
    hours = worked_minutes(answered["opened"], answered["taken"]) / 60
    response = await total(provider, Kpi.FIRST_RESPONSE_TIME)
    assert response.sample_size == len(answered)
    assert response.mean is not None
    assert response.median is not None
    # A half minute may be rounded either way.
    assert abs(response.mean - hours.mean()) < 0.01
    assert abs(response.median - hours.median()) < 0.02
