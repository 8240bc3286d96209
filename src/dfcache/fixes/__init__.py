"""The vocabulary of rewrites: small edits that keep the author's layout, without policy.

Every function returns edits, or None where the change can't be made without harm; the
checks decide what that means.
"""
