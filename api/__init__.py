"""HTTP and GraphQL: the only package that speaks to the outside."""
