"""TD-MPC with the changes of FOWM: a model of the world, learned from recordings with rewards, plans what to do.

`config` has its settings, `modeling` the networks, `shifts` moves pictures while learning, `losses` says what is
learned, `plan` searches for the best actions, `policy` learns and acts.
"""
