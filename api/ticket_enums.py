"""The words of tickets and escalations as GraphQL enums, each value described once."""

from api.enums import described
from domain.escalations import EscalationTest, Phase
from domain.tickets import EscalationKind, Exclusion, Priority, SlaResult, TicketKind, TicketSource, WaitingOn

described(
    Priority,
    "How urgent the provider holds a ticket to be.",
    "TicketPriority",
    P1="Critical: work stands still.",
    P2="High.",
    P3="Medium.",
    P4="Low, or planned.",
    UNKNOWN="The source didn't say.",
)

described(
    TicketKind,
    "What sort of matter a ticket is.",
    INCIDENT="Something is broken.",
    REQUEST="Something is asked for.",
    PROBLEM="The cause behind incidents.",
    CHANGE="A change to be made.",
    UNKNOWN="The source didn't say.",
)

described(
    TicketSource,
    "Who opened a ticket.",
    PERSON="A person.",
    ALERT="A monitoring system by itself; left out of figures unless asked for.",
)

described(
    Exclusion,
    "Why a ticket that exists counts in no figure.",
    "TicketExclusion",
    MERGED="Merged into another ticket.",
    DELETED="Deleted at its source.",
    SPAM="Marked as spam.",
)

described(
    Phase,
    "Where a client's support stood when a ticket was logged.",
    "SupportPhase",
    BEFORE_SERVICE="Before service began.",
    EARLY="Inside an escalation window: early support.",
    STEADY="In steady state.",
    AFTER="After the end of service.",
    UNKNOWN="Nothing is known of the client at that time.",
)

described(
    EscalationKind,
    "What rose.",
    FUNCTIONAL="The skill that was asked: handed to a higher line or to another team.",
    HIERARCHICAL="The manager who was told.",
    SLA="The clock of an agreement.",
    VENDOR="Another company was called in.",
)

described(
    WaitingOn,
    "Who is to act while a ticket waits.",
    CUSTOMER="The client.",
    VENDOR="Another company.",
    OTHER="Somebody else, or the source doesn't say who.",
)

described(SlaResult, "What came of an agreement.", MET="It was kept.", MISSED="It was missed.")

described(
    EscalationTest,
    "Which hand-over counts as an escalation.",
    TIER_RAISED="Handed to a higher support line.",
    REASSIGNED="Handed to another team.",
)
