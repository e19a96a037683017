"""Sections of pages that show an indicator: gated answers arranged for reading. No number is made here."""
