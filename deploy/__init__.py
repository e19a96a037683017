"""How the platform is put into operation."""
