"""LIBERO: 130 tasks of a Panda arm, told in words.

`config` registers; `suites` is the table of suites; `package` finds LIBERO's own files and loads its scenes and nothing
else of it; `assets` finds its meshes and pictures; `init_states` reads where episodes start; `env` is the environment
and `making` builds it.
"""
