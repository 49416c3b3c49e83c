"""The process that serves the API and the page: settings, then the database, then uvicorn."""

import sys
from contextlib import suppress

import uvicorn

from rl_emails_api.app import create_app
from rl_emails_api.http_server import HttpServer
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.settings import Settings

POOL_SIZE = 4
SHUTDOWN_SECONDS = 5
"""How long requests under way may take to end after SIGTERM."""
STARTUP_FAILURE = 3


def main() -> None:
    """Serve until SIGTERM or SIGINT. Reads the settings from the environment; RL_EMAILS_TOKEN must be among them."""
    settings = Settings()
    databases = open_databases(settings)
    engine = make_engine(databases.product_url, "api", pool_size=POOL_SIZE)
    try:
        app = create_app(engine, settings)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_level="info",
            # The page's first address carries the token, and paths carry search words: neither belongs into a log.
            access_log=False,
            server_header=False,
            # The application reads X-Forwarded-For itself, from the proxies that the settings name.
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        server = HttpServer(app, config)
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            # As uvicorn's own command: it has said why.
            sys.exit(STARTUP_FAILURE)
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
