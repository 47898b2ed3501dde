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
    "THRESHOLD_SET": "The usual thresholds apply; agreed with the service manager.",
    "DAY_90_SURVEY": "Asked by telephone; the answers are in the file.",
    "ESCALATION_RATE_IN_LIMIT": "Looked at with the service manager.",
}
"""What people say when they attest a gate that nothing measures."""

ACCEPTED = "The client's sponsor accepts it for now; we put it right within two weeks."
"""The reason of a waiver that no script gives one for."""

HAND_OFFS = {
    "SCOPE_SOLD": "Everything in the contract; telephony and the building's cameras stay with others.",
    "SUPPORT": "Users call or write to the service desk; outages after hours go to the number in the contract.",
    "RISKS": "The main switch is out of support; the line-of-business application has one person who knows it.",
    "SECRETS_PLACE": "In our vault, folder of the client; the domain registrar's account is still with its director.",
}
"""What sales writes down for every client."""

PROMISES = (
    "New notebooks are ready before their first day; the price holds for a year.",
    "No work in the weeks of the annual closing.",
    "A named engineer for the first month.",
)

INCUMBENTS = (
    "A one-man firm, friendly; hands over by the end of the month.",
    "A large provider; notice given, they answer by ticket only.",
    "",
)
"""Who provided before; nobody, where it is empty."""

WORK_NOTES = {
    "hand-off-call": "Forty minutes with sales; the open questions are in the record.",
    "network-scan": "Two segments more than on the client's list.",
    "credentials-in-vault": "All administrative accounts are in our vault; the old provider's are disabled.",
    "restore-tested": "A file and a mailbox were restored from last night's backup.",
    "documentation-signed": "The client's IT contact read it and signed it off.",
}
"""What is said of some items when they are done."""
