"""Operations of a model as calls of kernels: each is checked, and its constants are computed, one function a kind.

What a kind of operation computes, and where runtimes differ in it, is said where its function lies.
"""
