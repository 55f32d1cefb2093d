"""Who is told of decisions: a sink is called with each one."""
