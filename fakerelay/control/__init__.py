"""The control plane: what users of the fake ask of it, in process or over HTTP."""
