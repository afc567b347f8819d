"""What each address of Graph does. Importing `all_of_them` registers every one with the router."""
