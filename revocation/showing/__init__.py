"""What is said about requests: on pages while they run, and afterwards in files, reports, mails and figures."""
