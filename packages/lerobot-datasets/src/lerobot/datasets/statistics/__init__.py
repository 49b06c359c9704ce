"""Statistics of features, computed once per episode and joined without drift."""
