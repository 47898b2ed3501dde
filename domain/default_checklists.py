"""The checklists that a new provider begins with: the trade's usual work, stage by stage, to be edited from there."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.definitions import ChecklistItem, Owner, Rules
from domain.moves import Gate
from domain.stages import Stage

_LEAD, _MANAGER, _TECHNICAL, _ENGINEER = Owner.LEAD, Owner.ACCOUNT_MANAGER, Owner.TECHNICAL_LEAD, Owner.ENGINEER


def _required(key: str, title: str, owner: Owner, due: int, proves: Gate | None = None) -> ChecklistItem:
    return ChecklistItem(key, title, owner, due, required=True, proves=proves)


def _wished(key: str, title: str, owner: Owner, due: int) -> ChecklistItem:
    return ChecklistItem(key, title, owner, due)


CHECKLISTS: Mapping[Stage, tuple[ChecklistItem, ...]] = MappingProxyType(
    {
        Stage.CONTRACTING: (
            _required("hand-off-call", "Hold the hand-off call with sales", _LEAD, 2),
            _required("stakeholders", "Agree with the client who decides, approves and is told", _MANAGER, 5),
            _required("billing-set-up", "Set up billing and the agreement in the ticket system", _MANAGER, 8),
            _required("notice-to-incumbent", "Have the client give notice to the provider before us", _MANAGER, 8),
            _wished("welcome-pack", "Send the welcome pack to the client's sponsor", _MANAGER, 8),
            _wished("kick-off-invited", "Invite to the kick-off call", _LEAD, 10),
        ),
        Stage.ASSET_DISCOVERY: (
            _required("kick-off-call", "Hold the kick-off call", _LEAD, 3),
            _required("agents-deployed", "Deploy the monitoring agent to every workstation and server", _ENGINEER, 8),
            _required("network-scan", "Scan every network segment and compare with the client's list", _ENGINEER, 8),
            _required(
                "credentials-in-vault",
                "Take over administrative credentials into the vault and rotate them",
                _TECHNICAL,
                10,
                Gate.CREDENTIALS_HANDED_OVER,
            ),
            _required(
                "restore-tested",
                "Restore a file and a mailbox from the latest backup",
                _TECHNICAL,
                15,
                Gate.BACKUP_VERIFIED,
            ),
            _required("security-baseline", "Roll out multi-factor sign-in and endpoint protection", _ENGINEER, 15),
            _wished("licences-counted", "Count licences and warranties, and note what runs out", _ENGINEER, 15),
            _required("users-welcomed", "Tell every user how to reach the service desk", _LEAD, 18),
        ),
        Stage.EARLY_SUPPORT: (
            _required("first-week-review", "Go through the first week's tickets with the client", _LEAD, 6),
            _wished("old-tools-removed", "Remove the tools and accounts of the provider before us", _ENGINEER, 15),
            _required("network-documented", "Document network, servers and services", _TECHNICAL, 20),
            _wished("recurring-matters", "Find the matters that recur and plan their cure", _TECHNICAL, 25),
            _required(
                "documentation-signed",
                "Have the client sign off the documentation",
                _LEAD,
                50,
                Gate.DOCUMENTATION_SIGNED_OFF,
            ),
            _required("desk-hand-over", "Hand over to the service desk, with its runbooks", _LEAD, 55),
            _wished("first-business-review", "Hold the first business review", _MANAGER, 60),
        ),
        Stage.STEADY_STATE: (
            _wished("review-rhythm", "Agree on the rhythm of business reviews", _MANAGER, 10),
            _wished("roadmap", "Give the client its technology roadmap for the year", _MANAGER, 30),
            _wished("restore-tested-again", "Repeat the restore test", _TECHNICAL, 60),
        ),
        Stage.OFFBOARDED: (
            _required("exit-call", "Hold the exit call and agree on the last day", _MANAGER, 3),
            _required("successor-named", "Learn who takes over, and whom to hand over to", _MANAGER, 5),
            _required(
                "data-handed-back",
                "Hand back data, documentation and credentials, and have it confirmed",
                _TECHNICAL,
                15,
                Gate.DATA_HANDED_BACK,
            ),
            _required("access-removed", "Remove our accounts, agents and remote access", _ENGINEER, 20),
            _required("backups-settled", "Settle with the client what becomes of the backups", _TECHNICAL, 20),
            _required("billing-ended", "End billing and return licences", _MANAGER, 20),
        ),
    }
)


def first_rules() -> Rules:
    """Return what a new provider's first definition says."""
    return Rules(checklists=CHECKLISTS)
