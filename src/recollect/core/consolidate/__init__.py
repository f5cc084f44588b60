"""What was said, understood: extract → resolve → supersede → summarise.

Nothing here deletes or changes what was said. What is derived names its evidence, and is the same however
often, and in whatever order, it is derived.
"""
