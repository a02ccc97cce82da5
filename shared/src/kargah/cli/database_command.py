"""`kargah database`: what a Postgres of your own needs before the services start on it."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import typer

from kargah.cli.context import ExitCode, JsonOption, complain, console, print_json
from kargah.db.migrate import migrate
from kargah.embedded.postgres_roles import ensure_roles, grant_tables
from kargah.embedded.topology import DATABASE, MIGRATED, OWNERS, ROLE_OF


def database(
    superuser_url: Annotated[
        str, typer.Argument(metavar="URL", envvar="KARGAH_SUPERUSER_URL", help="postgresql:// of a superuser.")
    ],
    name: Annotated[str, typer.Option(help="The database; made if there is none.")] = DATABASE,
    json: JsonOption = False,
) -> None:
    """Make the roles, schemas and tables in a Postgres of your own, and print each service's KARGAH_DATABASE_URL.

    Every call sets new passwords: give all services their new URL, or keep the ones that were printed first.
    """
    passwords = {role: secrets.token_urlsafe(24) for role in OWNERS}
    urls = {role: _url(superuser_url, name, role, password) for role, password in passwords.items()}
    try:
        ensure_roles(superuser_url, name, passwords)
        for service in MIGRATED:
            migrate(urls[ROLE_OF[service]], service)
        grant_tables(superuser_url, name, role="worker", schema="gateway")
    except psycopg.Error as error:
        complain(f"Postgres refused: {error}")
        raise typer.Exit(ExitCode.REFUSED) from error
    if json:
        print_json(urls)
        return
    for role, url in urls.items():
        console.print(f"{role:<12} KARGAH_DATABASE_URL={url}", soft_wrap=True, highlight=False, markup=False)


def _url(superuser_url: str, database_name: str, role: str, password: str) -> str:
    """The superuser's address with another role and database; options such as sslmode stay."""
    parts = urlsplit(superuser_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}", path=f"/{quote(database_name)}")
    )
