"""Before a visit, on a machine without a GPU: `visit prepare`."""
