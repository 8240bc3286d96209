"""The table of articles."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table

metadata = MetaData()
articles = Table(
    "articles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("price", Numeric(8, 2), nullable=False),
)
