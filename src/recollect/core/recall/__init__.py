"""From a question and its candidates to a ranked list, and from there to a prompt; nothing here does I/O.

candidates (what the storage gathers) → features (what can be said of each) → fuse (one score) → ranking (the
best, with the parts of their scores) → reasons (why, in words) and context (into a budget of tokens).
"""
