"""Schema changes of the gateway's schema, which the worker writes to as well."""
