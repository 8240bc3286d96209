"""A small shop: a list of articles, served as JSON."""

from __future__ import annotations

import os

from flask import Flask, jsonify
from sqlalchemy import create_engine, select

from shop.articles import articles


def create_app() -> Flask:
    app = Flask(__name__)
    engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///shop.db"))

    @app.get("/articles")
    def listed():
        with engine.connect() as connection:
            rows = connection.execute(select(articles.c.name, articles.c.price))
            return jsonify([dict(row._mapping) for row in rows])

    return app
