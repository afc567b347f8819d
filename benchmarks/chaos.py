"""`make chaos`: faults with real worker processes; one line per fault. Being written by the owner of tests/services/."""
