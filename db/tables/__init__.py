"""Tables: declarative row classes without relationships; they never leave this folder's parent."""

import importlib
import pkgutil

from sqlalchemy import MetaData

from db.tables.base import Base


def metadata() -> MetaData:
    """Return the metadata of every table in this folder."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return Base.metadata
