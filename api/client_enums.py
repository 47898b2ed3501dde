"""The words of clients and access as GraphQL enums, each value described once."""

from api.enums import described
from domain.access import Reach, Role
from domain.bulk import BulkPolicy, BulkStatus
from domain.clients import (
    ContactRole,
    ContractScope,
    ContractStatus,
    ContractType,
    DeviceState,
    GapReason,
    Party,
)
from domain.tokens import TokenKind

described(
    ContactRole,
    "What a contact is to the work with the client.",
    SIGNER="Signs contracts.",
    SPONSOR="Stands behind the work, and is asked how it goes.",
    PRIMARY="Is the first to be spoken to.",
    TECHNICAL="Knows the client's technology.",
    BILLING="Gets the invoices.",
    AFTER_HOURS="Is called outside working hours.",
    USER="Uses what the provider looks after.",
)

described(
    ContractStatus,
    "How far an agreement is.",
    DRAFT="Being written.",
    SENT="With the client.",
    NEGOTIATING="Being talked over.",
    SIGNED="Agreed.",
    ENDED="Over.",
)

described(
    ContractType,
    "How the work is shared.",
    MANAGED="The provider looks after everything in scope.",
    CO_MANAGED="The provider and the client's own people share it.",
    PROJECT="A piece of work with an end.",
)

described(
    ContractScope,
    "What a contract covers.",
    ENDPOINTS="Computers and phones.",
    NETWORK="Networks.",
    BACKUP="Backup and restore.",
    SECURITY="Security.",
    SAAS="Software rented from others.",
    SERVICE_DESK="Requests of the client's people.",
)

described(
    Party,
    "Whose turn it is.",
    PROVIDER="The provider's.",
    CLIENT="The client's.",
)

described(
    DeviceState,
    "A device's standing with the provider.",
    PENDING="Found, and nothing decided yet.",
    MANAGED="Looked after.",
    UNMANAGED="Left alone, for a reason.",
    RETIRED="Gone.",
)

described(
    GapReason,
    "Why a device that was found is not managed.",
    BYOD="It belongs to a person.",
    GUEST="It is a visitor's.",
    IOT="It is a thing, such as a camera, that cannot be managed.",
    VENDOR_MANAGED="Somebody else looks after it.",
    OFFLINE="It was not to be reached.",
    TO_RETIRE="It is about to go.",
)

described(
    BulkPolicy,
    "What becomes of good rows when others are refused.",
    REJECT_ALL="One refused row leaves everything as it was.",
    REJECT_FAILED="Good rows come in; each refused row says why.",
)

described(
    BulkStatus,
    "What became of one row.",
    CREATED="It is new.",
    UPDATED="It changed what was there.",
    UNCHANGED="It says what was known already.",
    FAILED="It was refused; its errors say why.",
    LEFT_OUT="It was good, but another row's refusal left everything as it was.",
)

described(
    Role,
    "What a member is to the provider; roles add up.",
    VIEWER="Reads everything but staff figures.",
    AGENT="Handles tickets, and sees only clients whose team they are on.",
    ONBOARDING_LEAD="Leads onboardings: writes and moves own clients.",
    ACCOUNT_MANAGER="Looks after clients: writes own clients, and puts onboardings on hold.",
    TEAM_MANAGER="Leads a team of agents.",
    SERVICE_MANAGER="Writes and moves every client, and grants waivers.",
    ADMIN="A service manager who also decides who may do what.",
)

described(
    Reach,
    "How far a scope goes.",
    ALL="Every client that the caller sees.",
    OWN="Clients whose team the caller is on.",
)

described(
    TokenKind,
    "Whom a token stands for.",
    PERSONAL="A member.",
    SERVICE="A program of the provider.",
    PARTNER="A program of a partner, who sees only the clients listed.",
)

"""Importing this module declares the enums."""
