"""What monitoring and quotas look up: confirmed ratios, tokens by direction, times of stages, indexes."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns, fill them from what is stored, and add the table of stage times."""
    op.add_column("runs", sa.Column("ratio", sa.Float(53), nullable=True))
    for name in ("input_tokens", "output_tokens"):
        op.add_column("llm_calls", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "stage_times",
        sa.Column("run", sa.String(length=128), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_stage_times_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "stage", name=op.f("pk_stage_times")),
    )
    op.create_index(op.f("ix_trials_status"), "trials", ["status"])
    op.create_index("ix_jobs_open", "jobs", ["owner", "state"])
    _fill("runs", "confirmed", {"ratio": "ratio"})
    _fill("llm_calls", "body", {"input_tokens": "input_tokens", "output_tokens": "output_tokens"})


def _fill(name: str, column: str, fields: dict[str, str]) -> None:
    """New columns from the JSON that an old one holds."""
    connection = op.get_bind()
    table = sa.table(name, sa.column("id"), sa.column(column), *(sa.column(new) for new in fields))
    stored = connection.execute(sa.select(table.c.id, table.c[column]).where(table.c[column].is_not(None)))
    for row in stored.all():
        body = json.loads(row[1]) or {}
        values = {new: body[old] for new, old in fields.items() if old in body}
        if values:
            connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
