"""How fast Recollect is over HTTP, at 10⁵ and 10⁶ memories; `python -m speed` measures it (see __main__)."""
