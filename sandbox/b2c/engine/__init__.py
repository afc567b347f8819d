"""Carries out user journeys: steps, technical profiles, claims transformations, sessions."""
