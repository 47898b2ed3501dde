"""The words of onboarding as GraphQL enums, each value described once."""

from api.enums import described
from domain.definitions import Hardness
from domain.effects import EffectKind, EffectState
from domain.follow_ups import FollowUpKind
from domain.gates import Answer
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason, ScopeKind
from domain.pace import Pace
from domain.stages import Stage
from domain.timeline import TimelineKind
from domain.waivers import WaiverState

described(
    Stage,
    "Where an onboarding stands: four stages in a fixed order, and two ends.",
    CONTRACTING="The contract is being agreed.",
    ASSET_DISCOVERY="The client's devices and services are being found and taken on.",
    EARLY_SUPPORT="The first 90 days of the contract, in which escalations are watched closely.",
    STEADY_STATE="In service as usual.",
    LOST="Ended before service began.",
    OFFBOARDED="Ended after service had begun.",
)

described(
    Move,
    "What a person does with an onboarding.",
    OPEN="Open a client's first onboarding.",
    BEGIN_DISCOVERY="From contracting to asset discovery.",
    GO_LIVE="From asset discovery to early support.",
    GRADUATE="From early support to steady state.",
    ROLL_BACK="Back to an earlier stage.",
    HOLD="Stop the clock of the stage's target.",
    RESUME="Let the clock run again.",
    LOSE="End before service began.",
    OFF_BOARD="End service.",
    REOPEN="Open a new onboarding for a client that came back.",
    EXPAND="Open an onboarding for one site or service of a client in service.",
    IMPORT="Bring in where an existing client stands.",
    DISCARD="Set aside what was entered by mistake or twice.",
    GIVE_NOTICE="Say when service will end.",
    WITHDRAW_NOTICE="Stay after all.",
    CORRECT="Correct when something happened.",
    UNDO="Take back one's own last move.",
    MIGRATE="Keep to another version of the definition.",
)

described(
    Gate,
    "A condition that a move passes.",
    LEAD_SET="The onboarding has an active lead.",
    CONTRACT_SIGNED="The contract is signed and has a start date; always hard.",
    HAND_OFF_COMPLETE="Sales has handed over what was sold and promised.",
    PRIMARY_CONTACT="The client has a primary contact.",
    SURVEYABLE_CONTACT="Somebody at the client can be asked by e-mail.",
    COVERAGE_HOURS="The contract states its coverage hours.",
    THRESHOLD_SET="An escalation threshold is set or inherited.",
    CONTRACTING_CHECKLIST="The required checklist of contracting is done.",
    DEVICES_DECIDED="No device in managed scope has been pending for more than 48 hours.",
    DISCOVERY_FRESH="A discovery run is at most seven days old.",
    DEVICES_MANAGED="At least 95 % of discovered devices are managed, or every gap has a reason.",
    CRITICAL_SERVICES_MAPPED="Every critical service names the devices it runs on.",
    BACKUP_VERIFIED="A restore of the backup was verified.",
    CREDENTIALS_HANDED_OVER="Credentials were handed over.",
    DISCOVERY_CHECKLIST="The required checklist of discovery is done.",
    DAY_90_REACHED="Ninety days of the contract have passed.",
    DAYS_IN_STAGE="The client has been at least 30 days in early support.",
    NO_OPEN_PRIORITY_1="No priority-1 ticket is open.",
    ESCALATION_RATE_IN_LIMIT="The escalation rate of the last 30 days is not over its limit.",
    DOCUMENTATION_SIGNED_OFF="Documentation was signed off.",
    DAY_90_SURVEY="The survey of day 90 was sent.",
    SERVICE_END_REACHED="The contract's end date is reached.",
    DATA_HANDED_BACK="The client's data was handed back.",
    DEVICES_RELEASED="No device of the client is managed any more.",
)

described(
    Hardness,
    "How a gate holds a move.",
    HARD="Only a second person can waive it.",
    SOFT="The onboarding's lead or a service manager can waive it.",
    OFF="It is switched off by the definition.",
)

described(
    Answer,
    "What a gate says on its evidence.",
    PASS="The condition is met.",  # noqa: S106 -- an answer, not a secret
    FAIL="The condition is not met.",
    NOT_APPLICABLE="Outside the contract's scope, or switched off.",
    NOT_MEASURED="Nothing measures it yet: a person's dated attestation can meet it, else it holds the move softly.",
)

described(
    ScopeKind,
    "What an onboarding is about.",
    WHOLE_CLIENT="The client as a whole.",
    SITE="One site of the client.",
    SERVICE="One service of the client.",
)

described(
    HoldReason,
    "Why an onboarding stands still.",
    CLIENT="It waits for the client.",
    INTERNAL="It waits for the provider.",
    VENDOR="It waits for a vendor.",
    LEGAL="It waits for a legal question.",
)

described(
    EndReason,
    "Why an onboarding ended.",
    PRICE="The price.",
    COMPETITOR="A competitor.",
    NO_DECISION="The client did not decide.",
    UNSUITABLE="The client and the service do not fit.",
    SERVICE_QUALITY="The client was not content with the service.",
    INSOURCED="The client does it itself.",
    CONTRACT_ENDED="The contract ended and was not renewed.",
    CLIENT_CLOSED="The client ceased to exist.",
    OTHER="Something else; the reason says what.",
    MISTAKE="It was entered by mistake; it counts in no figure.",
    DUPLICATE="It was entered twice; it counts in no figure.",
)

described(
    Pace,
    "How an onboarding stands to the day its stage should be over, the earlier of its target and the planned date of "
    "the next stage; derived, never set. The worse comes first: LATE, STALE, AT_RISK.",
    ON_TRACK="Less than 80 % of the way to the day due has passed.",
    AT_RISK="80 % or more of the way to the day due has passed.",
    STALE="Nothing was done for as many business days as the definition allows in its stage: 5, 5 and 10.",
    LATE="The day due has passed.",
    ON_HOLD="The clock stands still.",
)

described(
    EffectKind,
    "What sort of thing a move sets off.",
    TIMER="A moment at which subscribers are told.",
    SURVEY="A survey sent to one person.",
)

described(
    EffectState,
    "What became of an effect.",
    PLANNED="It is still to come.",
    DONE="It happened.",
    SKIPPED="It did not happen; the reason says why.",
    CANCELLED="A later move called it off.",
)

described(
    WaiverState,
    "Where a waiver stands.",
    REQUESTED="It waits for its second person.",
    GRANTED="It opens its gate once.",
    USED="A move has passed by it.",
    WITHDRAWN="It was taken back.",
    EXPIRED="Its term is over.",
)

described(
    FollowUpKind,
    "What a follow-up came from.",
    WAIVER="A gate that was waived and is to be met later.",
    SAVE_CLIENT="The client has given notice, or is about to: somebody tries to keep it.",
    OTHER="Something else; the title says what.",
)

described(
    TimelineKind,
    "What a timeline's entry tells of.",
    MOVED="A move was made.",
    MOVE_REFUSED="A move was tried and refused.",
    WAIVER_REQUESTED="A waiver was asked for.",
    WAIVER_GRANTED="A waiver was granted.",
    WAIVER_WITHDRAWN="A waiver was withdrawn.",
    WAIVER_REFUSED="Somebody tried to ask for, grant or withdraw a waiver and was refused.",
    GATE_ATTESTED="Somebody gave their word for a gate.",
    ATTESTATION_REFUSED="Somebody tried to give their word for a gate and was refused.",
    TEAM_CHANGED="The contract, the lead or somebody else of the team was changed.",
    TEAM_CHANGE_REFUSED="A change of the contract or the team was tried and refused.",
    TIMER_FIRED="A planned moment came.",
    SURVEY_SKIPPED="A survey was not sent.",
    EFFECT_CANCELLED="A planned effect was called off.",
    PLANNED="A stage got its planned date.",
    RE_PLANNED="The planned date of a stage became another.",
    PLAN_WITHDRAWN="The planned date of a stage was withdrawn.",
    NOTE_ADDED="A note was written.",
    NOTE_EDITED="A note was edited.",
    NOTE_DELETED="A note was deleted.",
    CONTACT_ADDED="A contact was written down.",
    CONTACT_EDITED="A contact was edited.",
    CONTRACT_ADDED="A contract was written down.",
    CONTRACT_EDITED="A contract was edited, or its status changed.",
    AMENDMENT_ADDED="An amendment of a contract was written down.",
    AMENDMENT_EDITED="An amendment of a contract was edited, or its status changed.",
    CLIENT_EDITED="The client's own fields were edited.",
    CLIENT_MERGED="Another client was merged into this one.",
    CHECKLIST_ADDED="An own item was added to a checklist.",
    CHECKLIST_CHANGED="An item was assigned anew, or its day, note or link changed.",
    CHECKLIST_DONE="An item was done.",
    CHECKLIST_REOPENED="A done item was taken up again.",
    CHECKLIST_REMOVED="An own item was removed.",
    HAND_OFF_CHANGED="Fields of the hand-off record were written.",
    FOLLOW_UP_OPENED="Somebody promised to put something right by a day.",
    FOLLOW_UP_CLOSED="A follow-up was closed.",
)
