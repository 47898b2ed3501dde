"""A portrait of the demo: everything that was told, without the ids, which differ each time."""

from hashlib import sha256

from sqlalchemy import text

from db.session import Transaction

SIGHTS = {
    "members": "select name, email, roles, active from member order by email",
    "clients": "select name, industry, seats, created_at from client order by name",
    "contacts": """
        select c.name as client, p.name, p.email, p.phone, p.roles, p.language, p.opted_out
        from contact p join client c on c.tenant_id = p.tenant_id and c.id = p.client_id order by c.name, p.email
    """,
    "contracts": """
        select c.name as client, k.title, k.status, k.starts_on, k.ends_on, k.signed_at, k.version
        from contract k join client c on c.tenant_id = k.tenant_id and c.id = k.client_id order by 1, 2
    """,
    "devices": """
        select c.name as client, d.name, d.kind, d.state, d.gap_reason, d.serial, d.state_since, d.version
        from device d join client c on c.tenant_id = d.tenant_id and c.id = d.client_id order by 1, 2
    """,
    "services": """
        select c.name as client, s.name, s.critical, array_agg(d.name order by d.name) as devices
        from service s join client c on c.tenant_id = s.tenant_id and c.id = s.client_id
        left join service_device l on l.tenant_id = s.tenant_id and l.service_id = s.id
        left join device d on d.tenant_id = l.tenant_id and d.id = l.device_id
        group by 1, 2, 3 order by 1, 2
    """,
    "moves": """
        select c.name as client, y.number, t.version, t.move, t.to_stage, t.accepted, t.refusal, t.reason, t.outcome,
               t.recorded_at, t.gates
        from transition t join cycle y on y.tenant_id = t.tenant_id and y.id = t.cycle_id
        join client c on c.tenant_id = y.tenant_id and c.id = y.client_id order by 1, 2, t.recorded_at, t.version
    """,
    "work": """
        select c.name as client, i.stage, i.key, i.required, i.due_on, i.done_at, m.email as assignee, i.note
        from checklist_item i join client c on c.tenant_id = i.tenant_id and c.id = i.client_id
        join cycle y on y.tenant_id = i.tenant_id and y.id = i.cycle_id
        left join member m on m.tenant_id = i.tenant_id and m.id = i.assignee_id order by 1, y.number, 2, 3
    """,
    "hand-offs": """
        select c.name as client, h.scope_sold, h.promises, h.incumbent, h.support, h.risks, h.declared_none, h.version
        from hand_off h join client c on c.tenant_id = h.tenant_id and c.id = h.client_id order by 1, 3
    """,
    "effects": """
        select c.name as client, e.kind, split_part(e.key, ':', 1) as key, e.due_at, e.state, e.reason, e.settled_at
        from effect e join client c on c.tenant_id = e.tenant_id and c.id = e.client_id order by 1, 2, 3, 4, 5, 6, 7
    """,
    "tickets": "select external_id, logged_at, stage, phase, escalations, digest, version from ticket order by 1, 2",
    "figures": """
        select c.day, c.dimension, coalesce(t.name, c.member) as member, c.source, c.tickets, c.escalated_tickets,
               c.escalations, c.resolved, c.sla_met, c.backlog
        from ticket_cell c
        left join ticket_term t on t.tenant_id = c.tenant_id and replace(t.id::text, '-', '') = c.member
        where c.client_id = '00000000-0000-0000-0000-000000000000' order by 1, 2, 3, 4, c.grain
    """,
    "events": "select seq, type, recorded_at from event_log order by tenant_id, seq",
}
"""Each sight is one statement; what of it differs each time is left out."""


async def portrait(tx: Transaction) -> dict[str, str]:
    """Return a short hash of each sight of one provider, gates' ids of waivers and attestations left out."""
    shown = {}
    for name, statement in SIGHTS.items():
        rows = [tuple(_plain(value) for value in row) for row in await tx.rows(text(statement))]
        assert rows, f"nothing is seen of {name}"
        shown[name] = f"{len(rows)}:{sha256(repr(rows).encode()).hexdigest()[:12]}"
    return shown


def _plain(value: object) -> object:
    """Leave out of a move's gates the ids by which they were opened."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{key: word for key, word in gate.items() if key in ("gate", "answer", "reason")} for gate in value]
    return value
