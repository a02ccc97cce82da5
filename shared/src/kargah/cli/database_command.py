"""`kargah database`: what a Postgres of your own needs before the services start on it."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import typer

from kargah.cli.context import ExitCode, JsonOption, complain, console, print_json
from kargah.db.migrate import migrate
from kargah.embedded.postgres_roles import ensure_reader, ensure_roles, grant_tables
from kargah.embedded.topology import DATABASE, MIGRATED, OWNERS, ROLE_OF

READER = "grafana"


def database(
    superuser_url: Annotated[
        str, typer.Argument(metavar="URL", envvar="KARGAH_SUPERUSER_URL", help="postgresql:// of a superuser.")
    ],
    name: Annotated[str, typer.Option(help="The database; made if there is none.")] = DATABASE,
    password: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=PASSWORD",
            envvar="KARGAH_ROLE_PASSWORDS",
            help=f"Repeatable: {', '.join(OWNERS)}; {READER} for a role that only reads the gateway's tables.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make the roles, schemas and tables in a Postgres of your own, and print each service's KARGAH_DATABASE_URL.

    Roles without --password get a new one in every call: give these services their new URL. URLs of roles with a
    password of yours are not printed. Repeating it brings the tables up to date.
    """
    given = _given(password or [])
    passwords = {role: given.get(role) or secrets.token_urlsafe(24) for role in OWNERS}
    urls = {role: _url(superuser_url, name, role, password) for role, password in passwords.items()}
    try:
        _prepare(superuser_url, name, passwords, urls)
        if READER in given:
            ensure_reader(superuser_url, name, role=READER, password=given[READER], schema="gateway")
    except psycopg.Error as error:
        complain(f"Postgres refused: {error}")
        raise typer.Exit(ExitCode.REFUSED) from error
    _tell({role: url for role, url in urls.items() if role not in given}, json)


def _given(options: list[str]) -> dict[str, str]:
    """Raises BadParameter for a role that there is not, one given twice, or one without a password."""
    known, given = (*OWNERS, READER), dict[str, str]()
    for option in options:
        role, _, password = option.partition("=")
        if role not in known or role in given or not password:
            raise typer.BadParameter(
                f"{role}: expected ROLE=PASSWORD, each role once; the roles are {', '.join(known)}.",
                param_hint="--password",
            )
        given[role] = password
    return given


def _prepare(superuser_url: str, name: str, passwords: dict[str, str], urls: dict[str, str]) -> None:
    ensure_roles(superuser_url, name, passwords)
    for service in MIGRATED:
        migrate(urls[ROLE_OF[service]], service)
    grant_tables(superuser_url, name, role="worker", schema="gateway")


def _tell(urls: dict[str, str], json: bool) -> None:
    if json:
        print_json(urls)
        return
    for role, url in urls.items():
        console.print(f"{role:<12} KARGAH_DATABASE_URL={url}", soft_wrap=True, highlight=False, markup=False)
    console.print("The tables are up to date.")


def _url(superuser_url: str, database_name: str, role: str, password: str) -> str:
    """The superuser's address with another role and database; options such as sslmode stay."""
    parts = urlsplit(superuser_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}", path=f"/{quote(database_name)}")
    )
