"""What the commands share. Until the packages are installed only the standard library is there."""
