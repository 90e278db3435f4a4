"""Central value: gift cards, credit memos, points, credit on account. Head office alone knows the balances.

    till                              head office
    HoldAsked, journalled
      ── call: hold under a key ──►   a hold, no value moved
    the sale's entry, with the key
      ── sync ───────────────────►    one transaction: value moves once, the hold ends (P2, P3)

A call never moves value: only an applied entry does. Every key ends once, by a sale, by the till's word
(removed, voided) or by a person at head office; whatever comes under it later books nothing. What an entry
took and an account did not have is booked as a difference and reported, so that no balance falls below its
floor and every overspend is seen (P8).
"""
