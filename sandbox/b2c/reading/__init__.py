"""From files to what a policy means: XML, the chain of inheritance, and the definitions merged along it."""
