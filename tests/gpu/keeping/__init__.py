"""After a visit: `visit keep`."""
