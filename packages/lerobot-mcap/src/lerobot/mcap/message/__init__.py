"""What messages mean: types, values by path, stamps and images."""
