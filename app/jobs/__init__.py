"""Long work that survives a kill: what kinds there are, and the engine that runs them."""
