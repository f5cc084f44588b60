"""Other memories beside Recollect, in one run on one machine: `python -m peers` (see __main__)."""
