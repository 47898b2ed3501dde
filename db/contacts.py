"""Contacts in the database: the people of a client."""

from db.keyset import Listing
from db.rows import Rows
from db.session import Transaction
from db.tables.clients import ContactRow
from domain.clients import Contact, name_key

ROWS = Rows(ContactRow, Contact, derived=("name_key",))
_T = ContactRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"NAME": (_T.name_key, _T.id)},
    parent=_T.client_id,
    only=(_T.erased_at.is_(None),),  # an erased contact is shown where something refers to it, and listed nowhere
)

get = ROWS.get
lock = ROWS.lock
many = ROWS.many


async def add(tx: Transaction, contact: Contact) -> None:
    """Write a new contact."""
    await ROWS.add(tx, contact, name_key=name_key(contact.name))


async def save(tx: Transaction, contact: Contact) -> None:
    """Write a contact over its locked row."""
    await ROWS.save(tx, contact.id, contact, name_key=name_key(contact.name))
