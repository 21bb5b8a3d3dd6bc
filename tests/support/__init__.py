"""Real parts for tests: servers, databases, a browser and the app itself in a process."""
