"""The manual's exchanges from the driver's side; the virtual module's side is its own folder."""
