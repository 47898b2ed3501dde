"""Privacy in the database: the record of what was done, and what an erasure looks at and calls off."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from db.keyset import Listing, Stretch
from db.redaction import Search
from db.rows import Rows
from db.session import Transaction
from db.tables.privacy import PrivacyRecordRow
from domain.clients import Contact, name_key
from domain.members import Member
from domain.privacy import ERASED_REASON, PrivacyAct, PrivacyRecord, RetentionClass, RetentionDue
from domain.redaction import Person, known_by
from domain.tenants import TenantSettings

ROWS = Rows(PrivacyRecordRow, PrivacyRecord)
_T = PrivacyRecordRow.__table__.c
LISTING = Listing(columns=ROWS.columns, tenant=_T.tenant_id, orders={"RECORDED_AT": (_T.recorded_at, _T.id)})

ERASURES = text("""
    select distinct on (subject_kind, subject_id) id, act, subject_kind, subject_id, reason, texts, recorded_at,
           actor_kind, actor_id, channel, request_id, event_id
    from privacy_record where tenant_id = :tenant and act = :act
    order by subject_kind, subject_id, recorded_at, id
""")

CALL_OFF = text("""
    update effect set state = 'CANCELLED', reason = :reason, settled_at = :now
    where tenant_id = :tenant and client_id = :client and kind = 'SURVEY' and state = 'PLANNED'
      and recipient = :recipient
    returning id
""")

TAKE_FROM_HAND_OFFS = text("""
    update hand_off h
    set contact_roles = coalesce((
            select array_agg(u.role order by u.n)
            from unnest(h.contact_roles, h.contact_ids) with ordinality as u(role, contact, n)
            where u.contact <> cast(:contact as uuid)
        ), '{}'),
        contact_ids = array_remove(h.contact_ids, cast(:contact as uuid)),
        approvers = array_remove(h.approvers, cast(:contact as uuid)),
        vips = array_remove(h.vips, cast(:contact as uuid)),
        updated_at = :now, version = h.version + 1
    from cycle y
    where h.tenant_id = :tenant and h.client_id = :client
      and cast(:contact as uuid) = any(h.contact_ids || h.approvers || h.vips)
      and y.tenant_id = :tenant and y.id = h.cycle_id and y.ended_at is null
    returning h.cycle_id
""")

MERGED_INTO = text("""
    with recursive merged as (
        select id from client where tenant_id = :tenant and merged_into = :client
        union
        select c.id from client c join merged m on c.tenant_id = :tenant and c.merged_into = m.id
    )
    select id from merged order by id
""")

PEOPLE_OF = text("""
    select id from contact where tenant_id = :tenant and client_id = :client and erased_at is null order by id
""")

SAME_ADDRESS = text("""
    select id from contact
    where tenant_id = :tenant and lower(email) = lower(:email) and id <> :subject and erased_at is null order by id
""")

NAMESAKES = text("""
    select exists (
        select from contact
        where tenant_id = :tenant and name_key = any(cast(:keys as text[])) and id <> :subject and erased_at is null
    )
""")

MEMBERS_NAMES = text("""
    select name from member where tenant_id = :tenant and id <> :subject and erased_at is null
""")

# Whatever contains the part counts: it would be missed in the other's name as well.
SHARED_PARTS = text("""
    select part from unnest(cast(:parts as text[])) as wanted(part)
    where exists (
        select from contact c
        where c.tenant_id = :tenant and c.id <> :subject and c.erased_at is null
          and (cast(:client as uuid) is null or c.client_id = :client) and position(part in c.name) > 0
    ) or exists (
        select from member m
        where m.tenant_id = :tenant and m.id <> :subject and m.erased_at is null and position(part in m.name) > 0
    ) or exists (
        select from client k
        where k.tenant_id = :tenant and (cast(:client as uuid) is null or k.id = :client)
          and position(part in k.name) > 0
    )
""")

ON_TEAMS = text("""
    select id from cycle
    where tenant_id = :tenant and ended_at is null
      and (lead_id = :member or account_manager_id = :member or technical_lead_id = :member)
    order by opened_at, id
""")

STAND_DOWN = text("""
    update member set deputy_id = null, version = version + 1 where tenant_id = :tenant and deputy_id = :member
""")

SHUT_DOORS = text("""
    delete from door where tenant_id = :tenant
      and subject_id in (select id from token where tenant_id = :tenant and member_id = :member)
""")
REMOVE_TOKENS = text("delete from token where tenant_id = :tenant and member_id = :member returning id")

REMOVE_ABSENCES = text("delete from absence where tenant_id = :tenant and member_id = :member")

REMOVE_REFS = text("delete from external_ref where tenant_id = :tenant and client_id = :client returning 1")
REMOVE_REFS_OF = text("delete from external_ref where tenant_id = :tenant and subject_id = :subject returning 1")

DUE = text("""
    select client_id, served, ended_at, due_on, (
        select count(*) from contact p
        where p.tenant_id = :tenant and p.client_id = lapsed.client_id and p.erased_at is null
    ) as contacts
    from (
        select ended.*, cast(cast(ended_at at time zone :zone as date)
               + make_interval(months => case when served then cast(:off_boarded as int) else cast(:lost as int) end)
               as date) as due_on
        from (
            select c.id as client_id, max(y.ended_at) as ended_at, bool_or(y.stage = 'OFFBOARDED') as served
            from client c join cycle y on y.tenant_id = :tenant and y.client_id = c.id
            where c.tenant_id = :tenant and c.erased_at is null and c.merged_into is null
              and (cast(:client as uuid) is null or c.id = :client)
            group by c.id
            having bool_and(y.ended_at is not null)
        ) as ended
    ) as lapsed
    where due_on <= :until
    order by due_on, client_id
    limit :most
""")


@dataclass(frozen=True, slots=True)
class Shared:
    """What of somebody's names others bear too: a whole name, and the words that are parts of others' names."""

    name: bool
    parts: frozenset[str]


add = ROWS.add


async def listed(tx: Transaction, stretch: Stretch) -> list[PrivacyRecord]:
    """Return a stretch of the records, the latest first."""
    return [ROWS.read(row) for row in await LISTING.rows(tx, "RECORDED_AT", stretch, descending=True)]


async def count(tx: Transaction) -> int:
    """Return how many records there are."""
    return await LISTING.count(tx)


async def erasures(tx: Transaction) -> list[PrivacyRecord]:
    """Return the first erasure of everybody who was erased."""
    return [ROWS.read(row) for row in await tx.rows(ERASURES, tenant=tx.tenant, act=PrivacyAct.ERASED.value)]


async def call_off_surveys(tx: Transaction, client: UUID, contact: UUID, now: datetime) -> int:
    """Cancel the surveys that are still to be sent to a contact; return how many there were."""
    given = {"client": client, "recipient": str(contact), "reason": ERASED_REASON, "now": now}
    return len(await tx.rows(CALL_OFF, tenant=tx.tenant, **given))


async def take_from_hand_offs(tx: Transaction, client: UUID, contact: UUID, now: datetime) -> list[UUID]:
    """Name a contact no more in the hand-off records of open onboardings, and return these; ended ones stay."""
    rows = await tx.rows(TAKE_FROM_HAND_OFFS, tenant=tx.tenant, client=client, contact=contact, now=now)
    return [row["cycle_id"] for row in rows]


async def merged_into(tx: Transaction, client: UUID) -> list[UUID]:
    """Return the clients that were merged into one, and into those."""
    return [row["id"] for row in await tx.rows(MERGED_INTO, tenant=tx.tenant, client=client)]


async def people_of(tx: Transaction, client: UUID) -> list[UUID]:
    """Return a client's contacts who are not erased."""
    return [row["id"] for row in await tx.rows(PEOPLE_OF, tenant=tx.tenant, client=client)]


async def of_same_address(tx: Transaction, subject: UUID, email: str) -> list[UUID]:
    """Return other contacts with an address, who may be the same person."""
    rows = await tx.rows(SAME_ADDRESS, tenant=tx.tenant, subject=subject, email=email)
    return [row["id"] for row in rows]


async def search_for(tx: Transaction, subject: Contact | Member, also_known_as: Iterable[str] = ()) -> Search:
    """Return by what somebody is looked for, where others could be meant by the same words as well."""
    contact = subject if isinstance(subject, Contact) else None
    client = contact.client_id if contact else None
    phones = (contact.phone,) if contact and contact.phone else ()
    names = (subject.name, *(other.strip() for other in also_known_as))
    person = Person(names, (subject.email,) if subject.email else (), phones)
    others = await _shared(tx, subject.id, person, client)
    # Beyond their client a name of one word could mean anything, and a name that others bear rather means them.
    far = replace(person, names=() if others.name else tuple(name for name in names if len(name.split()) > 1))
    return Search(
        clients=(client, *await merged_into(tx, client)) if client else None,
        prose=known_by(person, parts=person.parts - others.parts),
        own=known_by(person),
        elsewhere=known_by(far) if contact else None,
    )


async def _shared(tx: Transaction, subject: UUID, person: Person, client: UUID | None) -> Shared:
    """Return what of somebody's names is others' too: whole names anywhere, parts among those of the client."""
    keys = [name_key(name) for name in person.names]
    name = bool(await tx.value(NAMESAKES, tenant=tx.tenant, keys=keys, subject=subject))
    colleagues = await tx.rows(MEMBERS_NAMES, tenant=tx.tenant, subject=subject)
    name = name or any(name_key(row["name"]) in keys for row in colleagues)
    rows = await tx.rows(SHARED_PARTS, tenant=tx.tenant, parts=sorted(person.parts), subject=subject, client=client)
    return Shared(name, frozenset(row["part"] for row in rows))


async def on_teams(tx: Transaction, member: UUID) -> list[UUID]:
    """Return the open onboardings that a member leads, manages the account of or leads technically."""
    return [row["id"] for row in await tx.rows(ON_TEAMS, tenant=tx.tenant, member=member)]


async def stand_down(tx: Transaction, member: UUID) -> None:
    """Let a member be nobody's deputy."""
    await tx.run(STAND_DOWN, tenant=tx.tenant, member=member)


async def remove_absences(tx: Transaction, member: UUID) -> None:
    """Forget when and why a member was away: it tells of their health and family, and of nothing they did."""
    await tx.run(REMOVE_ABSENCES, tenant=tx.tenant, member=member)


async def remove_tokens(tx: Transaction, member: UUID) -> int:
    """Remove a member's tokens and shut their doors; return how many there were."""
    await tx.run(SHUT_DOORS, tenant=tx.tenant, member=member)
    return len(await tx.rows(REMOVE_TOKENS, tenant=tx.tenant, member=member))


async def remove_refs_of(tx: Transaction, subject: UUID) -> int:
    """Remove somebody's keys in other systems; return how many there were."""
    return len(await tx.rows(REMOVE_REFS_OF, tenant=tx.tenant, subject=subject))


async def remove_refs(tx: Transaction, client: UUID) -> int:
    """Remove all keys of a client and of what is its own in other systems; return how many there were."""
    return len(await tx.rows(REMOVE_REFS, tenant=tx.tenant, client=client))


async def due(
    tx: Transaction, settings: TenantSettings, until: date, most: int, *, client: UUID | None = None
) -> list[RetentionDue]:
    """Return the clients whose data is to go by a local day, earliest first; all, or whether one of them is.

    A client is due so many months after the end of its last onboarding, all of which must have ended.
    """
    rows = await tx.rows(
        DUE,
        tenant=tx.tenant,
        zone=settings.zone.key,
        off_boarded=RetentionClass.OFF_BOARDED.months(settings),
        lost=RetentionClass.LOST_PROSPECT.months(settings),
        until=until,
        most=most,
        client=client,
    )
    return [
        RetentionDue(
            row["client_id"],
            RetentionClass.OFF_BOARDED if row["served"] else RetentionClass.LOST_PROSPECT,
            row["ended_at"],
            row["due_on"],
            row["contacts"],
        )
        for row in rows
    ]
