"""What leaves the system of a case: line list, network, report, and a list for SORMAS."""
