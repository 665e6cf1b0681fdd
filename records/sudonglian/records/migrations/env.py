"""How Alembic runs here: on the connection, and in the transaction, of `sudonglian.records.deployment`.

There is no offline mode and no alembic.ini: the program migrates its own database.
"""

from alembic import context

from sudonglian.records.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
