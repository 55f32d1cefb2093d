"""Archives: every decision that the monitor would make on a tree of recordings, as partitioned Parquet.

`recordings` finds what is to be scored, `settings` is what was asked, `tables` the Parquet files, `partitions` what is
still to be done, `scoring` does one partition, `running` has all of them done.
"""
