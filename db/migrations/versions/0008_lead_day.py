"""What the lead's day adds to a cycle: activity, notice, amendments, corrections."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass
