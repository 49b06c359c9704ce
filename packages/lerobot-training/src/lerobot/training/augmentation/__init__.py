"""Random changes of pictures while training: `operations` on them, and `drawing` which one gets which."""
