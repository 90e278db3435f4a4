"""Loyalty and credit at head office: points with tiers and expiry, limits, merged accounts (LY, OA)."""
