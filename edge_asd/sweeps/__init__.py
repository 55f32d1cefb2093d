"""Many parts of a job at once: here in processes of their own, or on a Dask cluster, by one function.

running.py is that function; parts.py is what a part tells and what comes of it, processes.py the processes here,
cluster.py the workers of a
cluster, alike.py what they must have as this computer has it.
"""
