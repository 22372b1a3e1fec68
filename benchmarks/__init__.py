"""How fast and how reliable the tool is. A package by name: pyarrow 17 brings a folder called benchmarks as well."""
