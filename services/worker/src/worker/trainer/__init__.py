"""The process that trains: no credentials, no network, no database; it talks to its agent over two pipes."""
