"""Leaving the portal: a person's names (`erasing`), or a whole tenant (`offboarding`)."""
