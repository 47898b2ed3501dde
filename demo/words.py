"""Words of the simulation: made-up names and matters, none of them anybody's."""

GIVEN_NAMES = (
    *("Anouk", "Bram", "Chiara", "Daan", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jasper", "Kaya", "Lotte"),
    *("Mirko", "Nadia", "Olaf", "Petra", "Quinten", "Rosa", "Sem", "Tess", "Umar", "Vera", "Wout", "Xenia"),
    *("Yusuf", "Zoë"),
)
FAMILY_NAMES = (
    *("Albers", "Bakker", "Castelein", "Dekker", "Evers", "Fontein", "Groot", "Hofman", "Idema", "Jansma"),
    *("Koster", "Lammers", "Mulder", "Nauta", "Oosting", "Prins", "Ridder", "Smeets", "Tolsma", "Veenstra"),
    *("Wagenaar", "Zwart"),
)

CATEGORIES = (
    ("Accounts and access", 24),
    ("E-mail and calendar", 18),
    ("Workstation", 17),
    ("Network and Wi-Fi", 12),
    ("Printing", 8),
    ("Line-of-business application", 11),
    ("Backup", 4),
    ("Security", 6),
)
"""What tickets are about, with weights."""

SERVICES = (
    ("Line-of-business application", True),
    ("Internet access", True),
    ("Printing", False),
)
"""What a client depends on, and whether that is critical."""

DISCOVERY_SOURCES = ("RMM agent", "Network scan")

STATEMENTS = {
    "HAND_OFF_COMPLETE": "Hand-off call held with sales; scope, promises and approvers are written down.",
    "THRESHOLD_SET": "The usual thresholds apply; agreed with the service manager.",
    "CONTRACTING_CHECKLIST": "Every required step of contracting is done.",
    "BACKUP_VERIFIED": "A file and a mailbox were restored from last night's backup.",
    "CREDENTIALS_HANDED_OVER": "All administrative accounts are in our vault; the old provider's are disabled.",
    "DISCOVERY_CHECKLIST": "Every required step of discovery is done.",
    "DOCUMENTATION_SIGNED_OFF": "The client's IT contact read the documentation and signed it off.",
    "DAY_90_SURVEY": "Asked by telephone; the answers are in the file.",
    "DATA_HANDED_BACK": "The last export was handed to the client and confirmed.",
    "ESCALATION_RATE_IN_LIMIT": "Looked at with the service manager.",
}
"""What people say when they attest a gate that nothing measures."""

ACCEPTED = "The client's sponsor accepts it for now; we put it right within two weeks."
"""The reason of a waiver that no script gives one for."""
