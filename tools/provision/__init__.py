"""What makes one node differ from the next: config.json and secrets.json."""
