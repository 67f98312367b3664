"""How fast we may call: limits per minute, waits that a provider asks for, and circuits.

accounts    one gate for each account of the process
gate        what callers see: ``Gate`` and ``Pass``, safe to use from many threads
traffic     joins the parts below, without a lock
quota       requests, inputs and tokens per minute, by window (never more) and pace (evenly)
speed       a lower rate for a minute, where limits are hit again and again
circuit     LIMITED and OPEN: wait, then let one call try
line        who waits, first come first served
members     which part of the account is ours
"""
