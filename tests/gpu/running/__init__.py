"""On the machine with the GPU: `visit run`. Python's standard library alone; needs neither of the other rooms."""
