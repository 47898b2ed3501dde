"""Checklist items as rows: laid out with a stage, listed over all clients, and what was done to them kept for good."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Boolean, Date, Text, Uuid, and_, bindparam, func, literal_column, or_, select, text

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.checklists import ChecklistItemRow, ChecklistStepRow
from db.tables.onboarding import CycleRow
from domain.checklists import Item, ItemDeed
from domain.onboarding import Cycle
from domain.stages import ORDER

ITEMS = Rows(ChecklistItemRow, Item, derived=("due_key",))
DEEDS = Rows(ChecklistStepRow, ItemDeed)

WITHOUT_DAY = date(9999, 12, 31)
"""Where items that are due on no day stand in the order of the days."""

_I = ChecklistItemRow.__table__.c
_C = CycleRow.__table__.c
_STAGES = "array[" + ", ".join(f"'{stage.value}'" for stage in ORDER) + "]"


def _place(stage: str) -> object:
    return func.array_position(literal_column(_STAGES), literal_column(stage))


# Still to be worked on: its onboarding goes on, and has come to its stage. A roll-back lets later stages' items rest,
# and so does the withdrawal of a notice with what is done on leaving.
_WORKED_ON = (
    select(literal_column("1"))
    .where(
        _C.tenant_id == _I.tenant_id,
        _C.id == _I.cycle_id,
        _C.ended_at.is_(None),
        or_(
            and_(_I.stage == "OFFBOARDED", _C.notice_id.is_not(None)),
            _place("checklist_item.stage") <= _place("cycle.stage"),  # type: ignore[operator]
        ),
    )
    .exists()
)

LISTING = Listing(
    columns=ITEMS.columns,
    tenant=_I.tenant_id,
    orders={"DUE": (_I.due_key, _I.id)},
    conditions={
        "open": and_(_I.done_at.is_(None), _WORKED_ON) == bindparam("open", type_=Boolean()),
        "kept": _I.removed_at.is_(None) == bindparam("kept", type_=Boolean()),
        "assignee": _I.assignee_id == bindparam("assignee", type_=Uuid()),
        "client": _I.client_id == bindparam("client", type_=Uuid()),
        "cycle": _I.cycle_id == bindparam("cycle", type_=Uuid()),
        "stage": _I.stage == bindparam("stage", type_=Text()),
        "required": _I.required == bindparam("required", type_=Boolean()),
        "due_before": _I.due_key < bindparam("due_before", type_=Date()),
    },
)

OF_CYCLES = text("""
    select id, client_id, cycle_id, stage, key, title, owner, required, proves, own, assignee_id, due_on, added_at,
           done_at, done_by_kind, done_by, note, link, removed_at, version
    from checklist_item
    where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[])) and removed_at is null
    order by cycle_id, due_key, id
""")

COUNT = text("select count(*) from checklist_item where tenant_id = :tenant and cycle_id = :cycle")

# An item that a stage brought once is not brought again: what was done before a roll-back stays done, and what was not
# has its days anew.
LAY_OUT = text("""
    insert into checklist_item (tenant_id, id, client_id, cycle_id, stage, key, title, owner, required, proves, own,
        assignee_id, due_on, due_key, added_at, version)
    select :tenant, i.id, :client, :cycle, :stage, i.key, i.title, i.owner, i.required, i.proves, false,
        i.assignee, i.due_on, coalesce(i.due_on, :without_day), :now, 1
    from unnest(cast(:ids as uuid[]), cast(:keys as text[]), cast(:titles as text[]), cast(:owners as text[]),
                cast(:requireds as boolean[]), cast(:proves as text[]), cast(:assignees as uuid[]),
                cast(:dues as date[]))
         as i(id, key, title, owner, required, proves, assignee, due_on)
    on conflict (tenant_id, cycle_id, stage, key) do update
    set due_on = excluded.due_on, due_key = excluded.due_key, version = checklist_item.version + 1
    where checklist_item.done_at is null and checklist_item.removed_at is null and not checklist_item.own
      and checklist_item.due_on is distinct from excluded.due_on
""")

HAND_ON = text("""
    update checklist_item set version = version + 1, assignee_id = case owner
        when 'ACCOUNT_MANAGER' then coalesce(cast(:account_manager as uuid), cast(:lead as uuid))
        when 'TECHNICAL_LEAD' then coalesce(cast(:technical_lead as uuid), cast(:lead as uuid))
        when 'ENGINEER' then coalesce(cast(:engineer as uuid), cast(:lead as uuid))
        else cast(:lead as uuid) end
    where tenant_id = :tenant and cycle_id = :cycle and done_at is null and removed_at is null
      and assignee_id = any(cast(:former as uuid[]))
    returning id
""")


async def add(tx: Transaction, item: Item) -> None:
    """Write a new item."""
    await ITEMS.add(tx, item, due_key=item.due_on or WITHOUT_DAY)


async def save(tx: Transaction, item: Item) -> None:
    """Write an item over its row; the caller holds its onboarding's lock."""
    await ITEMS.save(tx, item.id, item, due_key=item.due_on or WITHOUT_DAY)


async def lay_out(tx: Transaction, items: Sequence[Item]) -> None:
    """Add the items of one stage of one onboarding; of those that it has, what is undone gets its day anew."""
    if not items:
        return
    first = items[0]
    await tx.run(
        LAY_OUT,
        tenant=tx.tenant,
        client=first.client_id,
        cycle=first.cycle_id,
        stage=first.stage.value,
        now=first.added_at,
        without_day=WITHOUT_DAY,
        ids=[item.id for item in items],
        keys=[item.key for item in items],
        titles=[item.title for item in items],
        owners=[item.owner.value for item in items],
        requireds=[item.required for item in items],
        proves=[item.proves.value if item.proves else None for item in items],
        assignees=[item.assignee_id for item in items],
        dues=[item.due_on for item in items],
    )


async def hand_on(tx: Transaction, before: Cycle, after: Cycle) -> int:
    """Give what is undone of those who left a team to whoever has the role now, or to the lead; return how many."""
    former = [member for member in set(before.team) - set(after.team) if member]
    if not former:
        return 0
    handed = await tx.rows(
        HAND_ON,
        tenant=tx.tenant,
        cycle=after.id,
        former=former,
        lead=after.lead_id,
        account_manager=after.account_manager_id,
        technical_lead=after.technical_lead_id,
        engineer=after.engineer_ids[0] if after.engineer_ids else None,
    )
    return len(handed)


async def record(tx: Transaction, deed: ItemDeed) -> None:
    """Keep for good what somebody did to an item."""
    await DEEDS.add(tx, deed)


async def count_of(tx: Transaction, cycle: UUID) -> int:
    """Return how many items an onboarding has had, removed ones too."""
    return int(await tx.value(COUNT, tenant=tx.tenant, cycle=cycle))


async def of_cycles(tx: Transaction, cycles: Sequence[UUID]) -> dict[UUID, list[Item]]:
    """Return the items of onboardings, the first due first; removed ones are left out."""
    found: dict[UUID, list[Item]] = {}
    for row in await tx.rows(OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        item = ITEMS.read(row)
        found.setdefault(item.cycle_id, []).append(item)
    return found


async def listed(tx: Transaction, where: Mapping[str, object], stretch: Stretch) -> list[Item]:
    """Return a stretch of the items of all onboardings, the first due first; `where` names conditions."""
    return [ITEMS.read(row) for row in await LISTING.rows(tx, "DUE", stretch, {"kept": True, **where})]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many items there are, up to the limit of counting."""
    return await LISTING.count(tx, {"kept": True, **where})
