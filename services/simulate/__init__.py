"""32 pretend authorities with known lives of their orders: events as untidy as real ones, and what must come of them.

Nothing here is about a real person or says how a real authority does: only the marginals follow published figures.
"""
