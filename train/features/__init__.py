"""Features of clips: computed once, kept in a cache, mapped into memory, gathered as windows."""
