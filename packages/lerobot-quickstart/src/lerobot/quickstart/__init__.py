"""The whole loop in one command: demonstrations, a policy, its score, a page about it.

`recipe` says which commands with which flags, `journal` which of them are done, `running` runs one, `results` reads
what they found, `page` and `curve` show it, `command` puts them together.
"""
