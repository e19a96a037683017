"""The measurements made before public figures were rounded: how much each way to protect them hides, how far it errs, and what it
reveals.
"""
