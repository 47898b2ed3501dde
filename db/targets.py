"""Targets as rows, which are only ever added to: the last version of a figure and client is what stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import any_, bindparam, exists, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.targets import KpiTargetRow
from domain.targets import KpiTarget, Targets

_TARGETS = Rows(KpiTargetRow, KpiTarget)
_T = KpiTargetRow.__table__.c
_NEWER = KpiTargetRow.__table__.alias("newer")

HISTORY = Listing(
    columns=_TARGETS.columns,
    tenant=_T.tenant_id,
    orders={"RECORDED_AT": (_T.recorded_at, _T.id)},
    conditions={
        "kpis": _T.kpi == any_(bindparam("kpis", type_=ARRAY(sqltypes.Text()))),
        "clients": _T.client_id == any_(bindparam("clients", type_=ARRAY(sqltypes.Uuid()))),
        "standing": (
            _T.value.is_not(None)
            & ~exists().where(
                _NEWER.c.tenant_id == _T.tenant_id,
                _NEWER.c.kpi == _T.kpi,
                _NEWER.c.client_id.is_not_distinct_from(_T.client_id),
                _NEWER.c.number > _T.number,
            )
        )
        == bindparam("standing", type_=sqltypes.Boolean()),
    },
)

_NEWEST = """
    select distinct on (t.kpi, t.client_id) t.* from kpi_target t
    where t.tenant_id = :tenant and {which}
    order by t.kpi, t.client_id, t.number desc
"""

LAST = text(_NEWEST.format(which="t.kpi = :kpi and t.client_id is not distinct from cast(:client as uuid)"))

STANDING = text(f"""
    select s.* from ({_NEWEST.format(which="t.kpi = any(cast(:kpis as text[])) and t.recorded_at <= :at")}) as s
    where s.value is not null
    order by s.kpi, s.client_id nulls first
""")

get = _TARGETS.get
many = _TARGETS.many
add = _TARGETS.add


async def last(tx: Transaction, kpi: str, client: UUID | None) -> KpiTarget | None:
    """Return the newest version of a target, also of one that was removed."""
    row = await tx.one(LAST, tenant=tx.tenant, kpi=kpi, client=client)
    return _TARGETS.read(row) if row else None


async def standing(tx: Transaction, kpis: Sequence[str], at: datetime) -> list[KpiTarget]:
    """Return the targets of figures as they stood at a moment: the provider's own first, then those of clients."""
    return [_TARGETS.read(row) for row in await tx.rows(STANDING, tenant=tx.tenant, kpis=list(kpis), at=at)]


async def wanted(tx: Transaction, kpis: Sequence[str], at: datetime) -> Targets:
    """Return what was wanted of figures at a moment, to hold values against."""
    found = await standing(tx, kpis, at)
    return Targets({(one.kpi, one.client_id): one.value for one in found if one.value is not None})


async def history(tx: Transaction, stretch: Stretch, where: Mapping[str, object]) -> list[KpiTarget]:
    """Return versions of targets, the newest first."""
    return [_TARGETS.read(row) for row in await HISTORY.rows(tx, "RECORDED_AT", stretch, where, descending=True)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many versions there are, counting no further than one beyond what is told."""
    return await HISTORY.count(tx, where)
