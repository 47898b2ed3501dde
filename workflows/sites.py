"""Sites: the places at which a client works, noted, changed and archived."""

from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from db import external_refs, sites
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import external_faults
from domain.clients import ClientRef, ExternalKey, ExternalRef
from domain.errors import ErrorCode, Outcome, UserError
from domain.events import SiteChanged
from domain.ids import IdKind, public
from domain.sites import Site, site_faults
from workflows.belongings import held, told
from workflows.checks import fit, found, fresh, refusable, running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request, new_id

_FIELDS = ("name", "street", "postcode", "city", "country", "zone")


@dataclass(frozen=True, slots=True)
class CreateSite:
    client: ClientRef
    name: str
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    zone: ZoneInfo | None = None
    external: tuple[ExternalKey, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateSite:
    """Change what is given; `external` replaces all keys that other systems have for the site."""

    site_id: UUID
    name: Change[str] = UNCHANGED
    street: Change[str | None] = UNCHANGED
    postcode: Change[str | None] = UNCHANGED
    city: Change[str | None] = UNCHANGED
    country: Change[str | None] = UNCHANGED
    zone: Change[ZoneInfo | None] = UNCHANGED
    external: Change[tuple[ExternalKey, ...]] = UNCHANGED
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class ArchiveSite:
    """Take a site out of use; what names it keeps naming it."""

    site_id: UUID
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateSite) -> Outcome:
    """Note a site of a client."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = (await held(tx, principal, command.client, "client")).client
        site = _tidy(
            Site(
                id=new_id(),
                client_id=client.id,
                name=command.name,
                street=command.street,
                postcode=command.postcode,
                city=command.city,
                country=command.country,
                zone=command.zone.key if command.zone else None,
                created_at=now,
                archived_at=None,
                version=1,
            )
        )
        fit([*site_faults(site), *external_faults(command.external)])
        fit(await _key_faults(tx, site, command.external))
        await sites.add(tx, site)
        with running_again_on_duplicates():
            await external_refs.add(tx, _refs(site, command.external))
        event = SiteChanged(created=True, archived=False, fields=("name",))
        return await told(tx, principal, request, event, site, client.id, now)

    return await perform(context, principal, request, "siteCreate", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateSite) -> Outcome:
    """Change a site's name, address, zone, or its keys in other systems."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        site = await _locked(tx, principal, command.site_id, command.expected_version)
        wanted = {name: getattr(command, name) for name in _FIELDS}
        if isinstance(command.zone, ZoneInfo):
            wanted["zone"] = command.zone.key
        changed = _tidy(replace(site, **differences(site, wanted)))
        changes = differences(site, {name: getattr(changed, name) for name in _FIELDS})
        keys = None if command.external is UNCHANGED else command.external
        if keys is not None and await _known_keys(tx, site) == set(keys):
            keys = None
        if not changes and keys is None:
            return Outcome(site.id, site.version)
        changed = replace(changed, version=site.version + 1)
        fit([*_archived_faults(site), *site_faults(changed), *external_faults(keys or ())], site.id)
        fit(await _key_faults(tx, site, keys or ()), site.id)
        await sites.save(tx, changed)
        if keys is not None:
            with running_again_on_duplicates():
                await external_refs.replace_all(tx, site.id, _refs(site, keys))
        fields = (*changes, *(() if keys is None else ("external",)))
        event = SiteChanged(created=False, archived=False, fields=fields)
        return await told(tx, principal, request, event, changed, site.client_id, now)

    return await perform(context, principal, request, "siteUpdate", command, act)


async def archive(context: Context, principal: Principal, request: Request, command: ArchiveSite) -> Outcome:
    """Take a site out of use, unless it is being onboarded or is in service on its own."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        site = await _locked(tx, principal, command.site_id, command.expected_version)
        if site.archived_at is not None:
            return Outcome(site.id, site.version)
        onboarding = await sites.open_onboarding(tx, site)
        fit([_still_open(onboarding)] if onboarding else [], site.id)
        archived = replace(site, archived_at=now, version=site.version + 1)
        await sites.save(tx, archived)
        event = SiteChanged(created=False, archived=True, fields=("archived_at",))
        return await told(tx, principal, request, event, archived, site.client_id, now)

    return await perform(context, principal, request, "siteArchive", command, act)


async def _locked(tx: Transaction, principal: Principal, key: UUID, expected_version: int | None) -> Site:
    seen = found(await sites.get(tx, key), "site", "siteId")
    await held(tx, principal, seen.client_id, "siteId")
    site = found(await sites.lock(tx, key), "site", "siteId")
    fresh(site, expected_version)
    return site


def _tidy(site: Site) -> Site:
    """Return the site without stray spaces; a part of the address that was left blank is none."""
    return replace(
        site,
        name=site.name.strip(),
        street=_said(site.street),
        postcode=_said(site.postcode),
        city=_said(site.city),
        country=_said(site.country),
    )


def _said(part: str | None) -> str | None:
    return (part or "").strip() or None


def _archived_faults(site: Site) -> list[UserError]:
    if site.archived_at is None:
        return []
    message = f"This site was archived on {site.archived_at:%Y-%m-%d} and stays as it was; make a new one."
    return [UserError(ErrorCode.CONFLICT, message, ("siteId",))]


def _still_open(onboarding: UUID) -> UserError:
    id_ = public(IdKind.ONBOARDING, onboarding)
    message = f"The onboarding {id_} of this site is still open; lose it or off-board it first."
    return UserError(ErrorCode.CONFLICT, message, ("siteId",))


async def _key_faults(tx: Transaction, site: Site, keys: tuple[ExternalKey, ...]) -> list[UserError]:
    """Tell which keys another site of the same client has already."""
    errors = []
    for index, key in enumerate(keys):
        known = await external_refs.of_a_client(tx, IdKind.SITE, site.client_id, key.system, [key.key])
        if key.key in known and known[key.key].subject_id != site.id:
            message = f"{key.system} has {key.key!r} for another site of this client; change that one, or leave it out."
            errors.append(UserError(ErrorCode.ALREADY_EXISTS, message, ("external", str(index))))
    return errors


async def _known_keys(tx: Transaction, site: Site) -> set[ExternalKey]:
    refs = (await external_refs.of_subjects(tx, [site.id])).get(site.id, [])
    return {ExternalKey(ref.system, ref.key) for ref in refs}


def _refs(site: Site, keys: tuple[ExternalKey, ...]) -> list[ExternalRef]:
    return [ExternalRef(IdKind.SITE, key.system, key.key, site.id, site.client_id) for key in keys]
