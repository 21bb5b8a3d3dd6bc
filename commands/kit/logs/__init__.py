"""What `manage.py logs` does, a file for each kind of work."""
